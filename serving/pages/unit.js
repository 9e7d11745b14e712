// The page of one unit of a scorecard: what it is good and bad at, who is like it, what would gain it a place, its goals.

import { escaped, number, path, shown, signed } from "./html.js";

// unit: its code; told: of /units/{region}, { failed }, or nothing while it is asked for.
export function unitPage(page, unit, told) {
  const { say, zh } = page;
  const close = `<button type="button" data-choose="open" value="">${say("close")}</button>`;
  if (!told || told.failed) {
    return `<section id="opened" tabindex="-1"><h2>${escaped(unit)} ${close}</h2><p class="soft">${told ? escaped(told.failed) : say("loading")}</p></section>`;
  }
  const call = path(`v1/scorecards/${encodeURIComponent(told.target)}/units/${encodeURIComponent(told.unit)}`, { asof: told.board.asof, period: told.board.period });
  const called = (row, of = "indicator") => escaped((zh ? row[`${of}_zh`] : row[`${of}_en`]) || row[of]);
  const standing = (rows) => rows.map((r) => [called(r), shown(r.value), shown(r.score, 1), String(r.place), signed(r.gap)]);
  const columns = [say("indicator"), say("worth"), say("score"), say("place"), say("gap")];
  const lifts = told.lifts.map((r) => [called(r), shown(r.value), shown(r.needed), String(r.places)]);
  return `<section id="opened" tabindex="-1" aria-labelledby="unit"><h2><span id="unit">${called(told, "unit")}, ${told.board.period}</span>${close}</h2>
    <p>${say("place")} <strong>${say("of_units")(told.rank, told.units)}</strong> (${number(told.rank_low, 0)} … ${number(told.rank_high, 0)}) · ${say("score")} <strong>${number(told.score)}</strong></p>
    ${part(say("strengths"), columns, standing(told.strengths))}${part(say("weaknesses"), columns, standing(told.weaknesses))}
    ${part(say("lifts"), [say("indicator"), say("worth"), say("needed"), say("places_gained")], lifts, say("none_lifts"))}
    ${part(say("peers"), [say("unit"), say("distance")], told.peers.map((r) => [called(r, "peer"), shown(r.distance)]))}
    ${part(say("marks"), [say("indicator"), ""], told.marks.map((r) => [called(r), escaped(zh ? r.mark_zh : r.mark)]))}${goals(page, told.goals, called)}
    <footer>${say("same")} <a href="${escaped(call)}">GET /${escaped(decodeURIComponent(call))}</a></footer></section>`;
}

function part(title, heads, rows, none = "") {
  if (!rows.length) return none && `<h3>${title}</h3><p class="soft">${none}</p>`;
  const body = rows.map(([head, ...cells]) => `<tr><th scope="row">${head}</th>${cells.map((c) => `<td>${c}</td>`).join("")}</tr>`);
  return `<h3>${title}</h3><div class="wide" tabindex="0" role="region" aria-label="${escaped(title)}"><table>
    <thead><tr>${heads.map((h) => `<th scope="col">${escaped(h)}</th>`).join("")}</tr></thead><tbody>${body.join("")}</tbody></table></div>`;
}

function goals({ say }, told, called) {
  if (!told) return "";
  const share = (p) => `${number(100 * p, 0)} %`;
  const rows = told.goals.map((g) => [called(g), shown(g.goal), shown(g.mean), share(g.probability)]);
  const columns = [say("indicator"), say("goal"), say("outlook"), say("probability")];
  return `${part(say("goals")(told.year), columns, rows)}<p class="soft">${say("all_met")}: ${share(told.all_met)} (${share(told.low)} … ${share(told.high)})</p>`;
}
