// Bars: what was published by then, the last twelve periods. Boxes: bands of what was not.

import { mark, number, svg, text, ticks } from "../html.js";

export const BANDS = [["95", "q025", "q975"], ["80", "q100", "q900"], ["50", "q250", "q750"]];

export function box(page, answer, values) {
  const { say, width } = page;
  const estimated = answer.estimates.filter((e) => e.status === "estimated");
  const past = values.filter((v) => v.analysed !== null).slice(width < 420 ? -8 : -12);
  const ends = [0, ...past.map((v) => v.analysed), ...estimated.flatMap((e) => [e.quantiles.q025, e.quantiles.q975])];
  const [height, left, right, top, bottom] = [290, 38, 6, 18, 26];
  const { at, digits } = ticks(Math.min(...ends), Math.max(...ends));
  const [lo, hi] = [at[0], at.at(-1)];
  const slots = past.length + estimated.length;
  const slot = (width - left - right) / slots;
  const x = (i) => left + (i + 0.5) * slot;
  const y = (v) => top + ((hi - v) / (hi - lo)) * (height - top - bottom);
  const rect = (i, a, b, kind) => `<rect class="${kind}" x="${x(i) - slot * 0.31}" width="${slot * 0.62}" y="${Math.min(y(a), y(b))}" height="${Math.abs(y(a) - y(b))}"/>`;
  const parts = at.map((v) => `<line class="${Math.abs(v) < 1e-9 ? "zero" : "grid"}" x1="${left}" x2="${width - right}" y1="${y(v)}" y2="${y(v)}"/>${text(left - 6, y(v) + 4, number(v, digits), "end")}`);
  const every = Math.ceil(62 / slot);
  const label = (i, period) => (slots - 1 - i) % every === 0 && parts.push(text(x(i), height - 8, period.replace(/^20/, "’").replace("-", " "), "middle"));
  past.forEach((v, i) => {
    parts.push(mark(`${rect(i, 0, v.analysed, "history")}`, [v.period, `${say("published")}: ${number(v.analysed)}`], i, 0, !estimated.length && i === past.length - 1));
    label(i, v.period);
  });
  estimated.forEach((e, k) => {
    const i = past.length + k;
    const q = e.quantiles;
    const shape = BANDS.map(([p, a, b]) => rect(i, q[a], q[b], `b${p}`)).join("");
    const lines = [e.period, `${say("estimate")}: ${number(e.mean)}`, ...BANDS.toReversed().map(([p, a, b]) => `${say("band")(p)}: ${number(q[a])} … ${number(q[b])}`)];
    parts.push(mark(`${shape}<circle class="estimate" cx="${x(i)}" cy="${y(e.mean)}" r="4.5"/>`, lines, i, 0, k === estimated.length - 1),
      text(x(i), y(q.q975) - 5, number(e.mean), "middle", "ink strong"));
    label(i, e.period);
  });
  return svg(page, width, height, page.name(answer), parts);
}

export function legend(say) {
  const swatch = (inner) => `<svg width="14" height="14" aria-hidden="true">${inner}</svg>`;
  const bands = BANDS.toReversed().map(([p]) => `<span>${swatch(`<rect width="14" height="14" class="b${p}"/>`)}${say("band")(p)}</span>`);
  return [`<span>${swatch('<rect width="14" height="14" class="history"/>')}${say("published")}</span>`,
    `<span>${swatch('<circle cx="7" cy="7" r="4.5" class="estimate"/>')}${say("estimate")}</span>`, ...bands].join("");
}
