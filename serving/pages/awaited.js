// Releases that have not come: how much each would narrow the estimate, and what it would say had one of them come.

import { bar, escaped, number, signed } from "./html.js";
import { BANDS } from "./readings.js";

const SHOWN = 10;
const percent = (share) => `${number(100 * share, 1)} %`;

// coming: of /coming, or { failed } where there is no answer, or nothing while it is asked for.
export function awaited(page, coming) {
  const { say, name } = page;
  if (!coming) return `<p class="soft">${say("loading")}</p>`;
  if (coming.failed) return `<p class="soft">${escaped(coming.failed)}</p>`;
  if (!coming.releases.length || !coming.variance) return `<p class="soft">${coming.period}: ${say("settled")}</p>`;
  const most = coming.releases.toSorted((a, b) => b.reduction_alone - a.reduction_alone).slice(0, SHOWN);
  const rest = coming.releases.filter((r) => !most.includes(r));
  const rows = coming.releases.filter((r) => most.includes(r)).map((r) => `<tr><td>${escaped(name(r, r.series))}<small>${r.period} · <time>${r.day}</time>${r.overdue ? ` · ${say("overdue")}` : ""}</small></td>
    <td class="bar">${bar(r.reduction_alone, true)}</td><td class="n">${percent(r.reduction_alone)}</td><td class="n">${percent(r.reduction_in_turn)}</td></tr>`);
  if (rest.length) {
    const sum = rest.reduce((total, r) => total + r.reduction_in_turn, 0);
    rows.push(`<tr class="rest"><td>${say("smaller")(rest.length)}</td><td class="bar"></td><td></td><td class="n">${percent(sum)}</td></tr>`);
  }
  return `<p class="soft">${coming.period}: ${say("narrows")(number(coming.sd))}</p>
    <table class="news"><thead><tr><th scope="col">${say("series")}</th><th class="bar"></th><th scope="col" class="n">${say("alone")}</th>
    <th scope="col" class="n">${say("in_turn")}</th></tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

// A form: one of them, and a value for it. what: of /what-if, { failed }, or nothing where nothing was supposed.
export function supposed(page, coming, what) {
  const { say, name, zh, choice } = page;
  if (!coming?.releases?.length || !coming.variance) return "";
  const options = coming.releases.map((r) => {
    const id = `${r.series} ${r.period}`;
    const unit = (zh && r.unit_zh) || r.unit;
    return `<option value="${escaped(id)}"${id === choice.release ? " selected" : ""}>${escaped(`${name(r, r.series)}, ${r.period} (${say("expected")} ${number(r.expected)}, ${unit})`)}</option>`;
  });
  return `<h3 id="if">${say("what_if")}</h3><form class="own" aria-labelledby="if">
    <label><span>${say("coming_one")}</span><select name="release">${options.join("")}</select></label>
    <label><span>${say("would_be")}</span><input type="number" step="any" name="value" size="8" value="${escaped(choice.value ?? "")}"></label>
    <button>${say("suppose")}</button></form>${said(page, what)}`;
}

function said(page, what) {
  const { say, name } = page;
  if (!what) return "";
  if (what.failed) return `<p class="soft">${escaped(what.failed)}</p>`;
  const row = (head, { mean, quantiles }) => `<tr><th scope="row">${say(head)}</th><td><strong>${number(mean)}</strong></td>${BANDS.toReversed().map(([, low, high]) =>
    `<td>${number(quantiles[low], 1)} … ${number(quantiles[high], 1)}</td>`).join("")}</tr>`;
  const list = what.supposed.map((s) => `${name(s, s.series)}, ${s.period}: ${number(s.value)}`).join("; ");
  return `<p class="soft">${escaped(list)}</p><div class="wide" tabindex="0" role="region" aria-labelledby="if"><table><thead><tr><th></th>
    <th scope="col">${say("estimate")}</th>${BANDS.toReversed().map(([p]) => `<th scope="col">${say("band")(p)}</th>`).join("")}</tr></thead>
    <tbody>${row("before", what.before)}${row("after", what.after)}<tr class="end"><th scope="row">${say("sum")}</th><td>${signed(what.change, 3)}</td>
    <td colspan="3"></td></tr></tbody></table></div>`;
}
