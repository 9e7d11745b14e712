// Lights through time, a row each: a colour that the colour-blind tell apart, and a symbol. Carried and estimated ones are pale.

import { cut, escaped, margin, mark, NARROW, number, svg, table, text } from "../html.js";

const SYMBOLS = ["▼", "▽", "●", "△", "▲"];
const DARK = [1, 3, 5]; // lights on which white is read best

export const symbol = (light) => SYMBOLS[light - 1];
export const lamp = (say, light) => `${symbol(light)} ${say("lights_of")[light - 1]}`;

// rows: { name, unit, lights, scores, marks, index } of which all but the first two map a period; a tile of a unit can be opened. Where there is little room, the newest periods only.
export function lamps(page, rows, periods, label) {
  const { say, width } = page;
  const left = margin(width, rows.map((r) => r.name));
  const most = Math.max(3, Math.floor((width - left - 4) / 24));
  const shown = periods.slice(-most);
  const cell = Math.min(40, (width - left - 4) / shown.length);
  const above = width < NARROW ? 20 : 0;
  const tall = 26 + above;
  const parts = [];
  rows.forEach((row, j) => {
    parts.push(above ? text(2, tall * j + 15, cut(row.name, width - 8), "start", "ink") : text(left - 8, tall * j + 18, cut(row.name, left - 14), "end", "ink"));
    shown.forEach((period, k) => {
      const [light, said] = [row.lights.get(period), row.marks?.get(period)];
      if (light === undefined && !said) return;
      const lines = [row.name, period];
      if (light !== undefined) lines.push(lamp(say, light));
      if (row.scores?.has(period)) lines.push(`${say("score")}: ${number(row.scores.get(period), 0)} / 5`);
      if (row.index?.has(period)) lines.push(`${say("index")}: ${number(row.index.get(period))}`);
      if (said) lines.push(say("marks")[said]);
      const [x, y] = [left + cell * k, tall * j + above];
      const ink = !said && DARK.includes(light) ? "paper" : "ink";
      const shape = `<rect class="tile ${light === undefined ? "none" : `light${light}`}${said ? " pale" : ""}" x="${x + 1}" y="${y + 1}" width="${cell - 2}" height="24"/>
        ${text(x + cell / 2, y + 17, light === undefined ? "–" : symbol(light), "middle", ink)}`;
      parts.push(mark(shape, lines, k, j, j === 0 && k === shown.length - 1, row.unit && `${row.unit} ${period}`));
    });
  });
  shown.forEach((period, k) => {
    const place = `translate(${left + cell * (k + 0.5) + 4} ${tall * rows.length + 8}) rotate(-90)`;
    parts.push(`<text transform="${place}" text-anchor="end">${escaped(period)}</text>`);
  });
  const fewer = shown.length < periods.length ? `<p class="soft">${say("newest_of")(shown.length, periods.length)}</p>` : "";
  return svg(page, width, tall * rows.length + 74, label, parts) + fewer + numbers(say, rows, periods);
}

function numbers(say, rows, periods) {
  const said = (row, p) => [row.lights.has(p) ? lamp(say, row.lights.get(p)) : "", row.marks?.has(p) ? say("marks")[row.marks.get(p)] : ""];
  return table(say, ["", ...periods.toReversed()], rows.map((r) => [escaped(r.name), ...periods.toReversed().map((p) => escaped(said(r, p).filter(Boolean).join(", ")))]));
}

// What the symbols say.
export const legend = (say) =>
  `<p class="legend">${[5, 4, 3, 2, 1].map((n) => `<span><b class="key light${n}${DARK.includes(n) ? " white" : ""}" aria-hidden="true">${symbol(n)}</b>${say("lights_of")[n - 1]}</span>`).join("")}<span>${say("pale")}</span></p>`;
