// Readings as the API gives them, looked up by unit, name, level and period; and where they come from.

import { escaped, path } from "./html.js";

export const BANDS = [["95", "q025", "q975"], ["80", "q100", "q900"], ["50", "q250", "q750"]];

export class Told {
  constructor(answer) {
    this.answer = answer;
    this.synthetic = answer.is_synthetic;
    this.values = new Map(answer.readings.map((r) => [`${r.unit}|${r.name}|${r.level}|${r.period}`, r.value]));
    this.units = [...new Set(answer.readings.map((r) => r.unit))].sort();
    this.periods = [...new Set(answer.readings.map((r) => r.period))].sort();
    this.named = new Map(answer.readings.flatMap((r) => [
      [r.unit, { name_en: r.unit_en, name_zh: r.unit_zh }], [r.name, { name_en: r.name_en, name_zh: r.name_zh }]]));
  }

  at(unit, name, level, period) {
    return this.values.get(`${unit}|${name}|${level}|${period}`);
  }

  // Names that have this level in a unit, the whole ("") first.
  names(unit, level) {
    const found = [...new Set(this.answer.readings.filter((r) => r.unit === unit && r.level === level).map((r) => r.name))];
    return found.sort((a, b) => (a !== "") - (b !== ""));
  }

  has(level) {
    return this.answer.readings.some((r) => r.level === level);
  }

  called(page, code) {
    return page.name(this.named.get(code) ?? {}, code && page.say(code));
  }

  // One index of a unit: its periods, and by band low and high; a band without width anywhere is left out.
  course(unit, name = "") {
    const periods = this.periods.filter((p) => this.at(unit, name, "index", p) !== undefined);
    const of = (level) => periods.map((p) => this.at(unit, name, level, p) ?? null);
    const bands = BANDS.map(([percent, a, b]) => ({ percent, low: of(a), high: of(b) }))
      .filter(({ low, high }) => low.some((v, k) => v !== null && high[k] > v));
    return { periods, index: of("index"), bands };
  }

  // What each part adds in the newest period that says so, the largest first.
  parts(unit) {
    const rows = this.answer.readings.filter((r) => r.unit === unit && r.level === "part");
    const period = rows.reduce((last, r) => (r.period > last ? r.period : last), "");
    const found = rows.filter((r) => r.period === period).map((r) => ({ name: r.name, value: r.value }));
    return { period, rows: found.sort((a, b) => Math.abs(b.value) - Math.abs(a.value)) };
  }
}

// A choice among units.
export function choice(page, told, units, chosen) {
  if (units.length < 2) return "";
  const options = units.map((u) => `<option value="${escaped(u)}"${u === chosen ? " selected" : ""}>${escaped(told.called(page, u))}</option>`);
  return `<label class="choice"><span>${page.say("region")}</span><select data-choose="unit">${options.join("")}</select></label>`;
}

export function heading(page, answer) {
  const title = (page.zh ? answer.title_zh : answer.title_en) || answer.target;
  return `<h2 id="title">${escaped(title)}</h2><p class="soft">${escaped(answer.target)} · ${page.say("known")} ${answer.asof}</p>`;
}

// What an answer rests on, and where the same numbers are.
export function origin(page, answer, calls) {
  const { say } = page;
  const facts = [["model", answer.model], ["version", answer.version], ["run", answer.run_id], ["known", answer.asof],
    ["learned", answer.fitted_asof], ["timing", say(answer.timing)], ["panel", answer.panel.slice(0, 16)]];
  return `<footer><dl>${facts.filter(([, v]) => v).map(([k, v]) => `<div><dt>${say(k)}</dt> <dd>${escaped(v)}</dd></div>`).join("")}</dl>
    <div>${say("same")} ${calls.map((c) => `<a href="${escaped(c)}">GET /${escaped(decodeURIComponent(c))}</a>`).join(" ")}</div></footer>`;
}

export const called = (route, target, query) => path(`v1/${route.replace("{id}", encodeURIComponent(target))}`, query);
