// A light, opened: thresholds in force, the scores of its items, what would flip it, earlier rules, how it was first known.

import { lamp } from "./charts/lamps.js";
import { escaped, number, path, shown, signed } from "./html.js";

// asked: region and period; told: of /proof, { failed }, or nothing while it is asked for.
export function proof(page, asked, told) {
  const { say, zh } = page;
  const close = `<button type="button" data-choose="open" value="">${say("close")}</button>`;
  if (!told || told.failed) {
    return `<section id="opened" tabindex="-1"><h2>${say("proof")}: ${escaped(asked)} ${close}</h2><p class="soft">${told ? escaped(told.failed) : say("loading")}</p></section>`;
  }
  const call = path(`v1/warnings/${encodeURIComponent(told.target)}/proof`, { asof: told.asof, region: told.region, period: told.period });
  const where = (zh ? told.region_zh : told.region_en) || told.region;
  const light = (n) => escaped(n ? lamp(say, n) : "");
  const waits = told.light && told.band !== told.light ? `<p class="soft">${escaped(say("waits")(lamp(say, told.band)))}</p>` : "";
  return `<section id="opened" tabindex="-1" aria-labelledby="proof"><h2><span id="proof">${say("proof")}: ${escaped(where)}, ${told.period}</span>${close}</h2>
    <p><strong>${light(told.light)}</strong> · ${say("index")} ${number(told.index)} · ${say("bounds")}: ${told.bands.map((b) => number(b, 1)).join(" | ")}</p>${waits}
    <p class="soft">${say("in_force")}: ${escaped(told.thresholds)}${told.reason ? `, ${escaped(told.reason)}` : ""}</p>
    ${items(page, told, light)}${before(page, told, light)}${history(page, told, light)}
    <footer>${say("same")} <a href="${escaped(call)}">GET /${escaped(decodeURIComponent(call))}</a></footer></section>`;
}

const heads = (names) => `<thead><tr>${names.map((h) => `<th scope="col">${escaped(h)}</th>`).join("")}</tr></thead>`;
const wide = (label, inner) => `<div class="wide" tabindex="0" role="region" aria-label="${escaped(label)}"><table>${inner}</table></div>`;

function items(page, told, light) {
  const { say, name, zh } = page;
  const rows = told.items.map((i) => {
    const mark = zh ? i.mark_zh : i.mark_en;
    const flips = i.needed === null ? `<td colspan="2" class="soft">${say("never")}</td>` : `<td>${shown(i.needed)} (${signed(i.change)})</td><td>${light(i.flips_to)}</td>`;
    return `<tr><th scope="row">${escaped(name(i, i.item))}<small>${escaped((zh && i.unit_zh) || i.unit)}${mark ? ` · ${escaped(mark)}` : ""}</small></th>
      <td>${shown(i.value)}</td><td>${i.cuts.map((c) => number(c)).join(" | ")}<small>${say(i.hotter)}</small></td>
      <td>${i.score ?? ""}</td><td>${i.weight}</td><td>${shown(i.adds, 1)}</td>${flips}</tr>`;
  });
  return wide(say("proof"), `${heads([say("item"), say("worth"), say("cuts"), say("score"), say("weight"), say("points"), say("needed"), say("flips")])}<tbody>${rows.join("")}</tbody>`);
}

function before({ say, zh }, told, light) {
  if (!told.before.length) return "";
  const rows = told.before.map((b) => `<tr><th scope="row">${escaped(zh ? b.rules_zh : b.rules_en)}</th><td>${shown(b.index)}</td><td>${light(b.light)}</td></tr>`);
  return `<h3>${say("earlier")}</h3>${wide(say("earlier"), `<tbody>${rows.join("")}</tbody>`)}`;
}

function history({ say }, told, light) {
  if (!told.history.length) return "";
  const rows = told.history.toReversed().map((h) => `<tr><th scope="row">${h.period}</th><td>${h.first_asof}</td><td>${light(h.first_light)}</td><td>${shown(h.first_index)}</td>
    <td>${light(h.light)}</td><td>${shown(h.index)}</td></tr>`);
  const names = [say("month"), say("day"), say("then"), say("index"), say("now"), say("index")];
  return `<details class="data"><summary>${say("first_known")}</summary>${wide(say("first_known"), `${heads(names)}<tbody>${rows.join("")}</tbody>`)}</details>`;
}
