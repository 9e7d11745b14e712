// An index through time: bands, turning points, shaded downturns; a strip for each period reads out all of it.

import { escaped, mark, number, svg, table, text, ticks, shown } from "../html.js";

// one: { periods, index, bands }, turns: period -> { turn, confirmed }, lit: period -> words, scale: of what is written,
// ahead: how many of the periods are published, where the others are not.
export function course(page, one, label, { turns = new Map(), lit = new Map(), scale = 1, bounds = [], ahead = one.index.length } = {}) {
  const { say, width } = page;
  const [left, right, top, bottom, height] = [44, 14, 18, 26, width < 560 ? 250 : 320];
  const ends = [...one.index, ...bounds, ...one.bands.flatMap((b) => [...b.low, ...b.high])].filter((v) => v !== null);
  const { at, digits } = ticks(Math.min(...ends) * scale, Math.max(...ends) * scale);
  const [lo, hi] = [at[0] / scale, at.at(-1) / scale];
  const months = one.periods.map(ordinal);
  const span = Math.max(months.at(-1) - months[0], 1);
  const x = (m) => left + ((m - months[0]) / span) * (width - left - right);
  const y = (v) => top + ((hi - v) / (hi - lo)) * (height - top - bottom);
  const parts = at.map((t) => `<line class="grid" x1="${left}" x2="${width - right}" y1="${y(t / scale)}" y2="${y(t / scale)}"/>${text(left - 6, y(t / scale) + 4, number(t, digits), "end")}`);
  for (const [a, b] of downturns(one.periods, turns)) {
    parts.push(`<rect class="downturn" x="${x(a)}" width="${x(b) - x(a)}" y="${top}" height="${height - top - bottom}"><title>${say("shaded")}</title></rect>`);
  }
  one.bands.forEach(({ percent, low, high }) => {
    const known = low.flatMap((v, k) => (v === null || high[k] === null ? [] : [k]));
    const ring = [...known.map((k) => [months[k], high[k]]), ...known.reverse().map((k) => [months[k], low[k]])];
    parts.push(`<polygon class="b${percent}" points="${ring.map(([m, v]) => `${x(m).toFixed(1)},${y(v).toFixed(1)}`).join(" ")}"/>`);
  });
  const corners = one.index.map((v, k) => `${x(months[k]).toFixed(1)},${y(v).toFixed(1)}`);
  parts.push(`<polyline class="line" points="${corners.slice(0, ahead).join(" ")}"/>`);
  if (ahead < corners.length) parts.push(`<polyline class="line ahead" points="${corners.slice(ahead - 1).join(" ")}"/>`);
  parts.push(...axis(one.periods, months, x, height - 8, width));
  const half = (width - left - right) / span / 2;
  one.index.forEach((v, k) => {
    const lines = [one.periods[k], `${label}: ${number(v * scale)}`];
    for (const { percent, low, high } of [...one.bands].reverse()) {
      if (low[k] !== null && high[k] > low[k]) lines.push(`${say("band")(percent)}: ${number(low[k] * scale)} … ${number(high[k] * scale)}`);
    }
    if (lit.has(one.periods[k])) lines.push(lit.get(one.periods[k]));
    const last = k === ahead - 1;
    let shape = `<rect class="hit" x="${x(months[k]) - half}" width="${2 * half}" y="${top}" height="${height - top - bottom}"/>
      <circle class="dot${last ? " shown last" : ""}" cx="${x(months[k])}" cy="${y(v)}" r="4"/>`;
    const turn = turns.get(one.periods[k]);
    if (turn) {
      lines.push(`${say(turn.turn)}, ${say(turn.confirmed ? "confirmed" : "candidate")}`);
      shape += triangle(x(months[k]), y(v), turn);
    }
    parts.push(mark(shape, lines, k, 0, last));
  });
  return svg(page, width, height, label, parts) + legend(say, one.bands, turns, ahead < corners.length) + numbers(page, one, turns, scale, lit);
}

export function ordinal(period) {
  const [year, rest] = period.split("-");
  return year * 12 + (!rest ? 11 : rest[0] === "Q" ? rest[1] * 3 - 1 : rest - 1);
}

// Months from a peak to its trough; one that has not ended is shaded to the end.
function downturns(periods, turns) {
  const found = [];
  let peak = null;
  for (const p of periods) {
    const turn = turns.get(p)?.turn;
    if (turn === "peak") peak = ordinal(p);
    if (turn === "trough" && peak !== null) {
      found.push([peak, ordinal(p)]);
      peak = null;
    }
  }
  return peak === null ? found : [...found, [peak, ordinal(periods.at(-1))]];
}

function axis(periods, months, x, y, width) {
  const long = months.at(-1) - months[0] >= 60;
  const room = Math.max(2, Math.floor(width / (long ? 58 : 96)));
  const step = [1, 3, 6, 12, 24, 60, 120].find((s) => (months.at(-1) - months[0]) / s <= room) ?? 240;
  const start = long ? 0 : months[0] % step;
  return periods.flatMap((p, k) => ((months[k] - start) % step === 0 ? [text(x(months[k]), y, long ? p.slice(0, 4) : p, k === 0 ? "start" : k === periods.length - 1 ? "end" : "middle")] : []));
}

function triangle(x, y, { turn, confirmed }) {
  const s = turn === "peak" ? -1 : 1;
  const corners = [[x, y + s * 5], [x - 6, y + s * 15], [x + 6, y + s * 15]].map((c) => c.map((v) => v.toFixed(1)).join(",")).join(" ");
  return `<polygon class="${turn}${confirmed ? "" : " candidate"}" points="${corners}"/>`;
}

function legend(say, bands, turns, dashed) {
  const swatch = (inner) => `<svg width="14" height="14" aria-hidden="true">${inner}</svg>`;
  const said = [...bands].reverse().map(({ percent }) => swatch(`<rect width="14" height="14" class="b${percent}"/>`) + say("band")(percent));
  if (dashed) said.push(swatch('<line class="line ahead" x1="0" x2="14" y1="7" y2="7"/>') + say("ahead"));
  if (turns.size) {
    said.push(swatch('<polygon class="peak" points="1,2 13,2 7,12"/>') + say("peak"), swatch('<polygon class="trough" points="1,12 13,12 7,2"/>') + say("trough"),
      swatch('<polygon class="peak candidate" points="1,2 13,2 7,12"/>') + say("candidate"), swatch('<rect width="14" height="14" class="downturn"/>') + say("shaded"));
  }
  return said.length ? `<p class="legend">${said.map((s) => `<span>${s}</span>`).join("")}</p>` : "";
}

function numbers({ say }, one, turns, scale, lit) {
  const bands = [...one.bands].reverse();
  const heads = [say("period"), say("index"), ...bands.flatMap((b) => [`${b.percent} %, ${say("from")}`, say("to")]), turns.size ? say("turn") : say("state")];
  const times = (v) => (v === null ? null : v * scale);
  const rows = one.periods.map((p, k) => [p, shown(times(one.index[k])), ...bands.flatMap((b) => [shown(times(b.low[k])), shown(times(b.high[k]))]),
    turns.has(p) ? `${say(turns.get(p).turn)}, ${say(turns.get(p).confirmed ? "confirmed" : "candidate")}` : escaped(lit.get(p) ?? "")]);
  return table(say, heads, rows.reverse());
}
