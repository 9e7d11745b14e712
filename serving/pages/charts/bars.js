// Named numbers: bars from zero, and dots with intervals. Where there is little room, names stand above.

import { cut, margin, mark, NARROW, number, svg, text, ticks } from "../html.js";

// rows: { name, value, more }
export function bars(page, rows, label, digits = 2) {
  const { width } = page;
  const place = rowsOf(page, rows, 24);
  const values = rows.map((r) => r.value);
  const [low, high] = [Math.min(0, ...values), Math.max(0, ...values)];
  const pad = low < 0 ? 62 : 8;
  const room = (width - place.left - pad - 66) / (high - low || 1);
  const zero = place.left + pad - low * room;
  const parts = rows.map((row, j) => {
    const y = place.y(j);
    const [from, to] = [zero + Math.min(row.value, 0) * room, zero + Math.max(row.value, 0) * room];
    const said = row.value < 0 ? text(from - 6, y + 16, number(row.value, digits), "end") : text(to + 6, y + 16, number(row.value, digits));
    return place.label(j) + mark(`<rect class="hit" x="0" y="${y}" width="${width}" height="24"/>
      <rect class="tile ${row.value < 0 ? "down" : "up"}" x="${from}" y="${y + 4}" width="${to - from}" height="16"/>${said}`,
      [row.name, number(row.value, digits), ...(row.more ?? [])], 0, j, j === 0);
  });
  const line = `<line class="zero" x1="${zero}" x2="${zero}" y1="0" y2="${place.end}"/>`;
  return svg(page, width, place.end + 6, label, [line, ...parts]);
}

// rows: { name, value, low, high, more, open }
export function intervals(page, rows, label, digits = 1) {
  const { width } = page;
  const place = rowsOf(page, rows, 26);
  const ends = rows.flatMap((r) => [r.value, r.low, r.high]).filter((v) => v !== undefined && v !== null);
  const scale = ticks(Math.min(...ends), Math.max(...ends));
  const [lo, hi] = [scale.at[0], scale.at.at(-1)];
  const x = (v) => place.left + 14 + ((v - lo) / (hi - lo)) * (width - place.left - 40);
  const parts = scale.at.filter((t) => digits || (t >= Math.min(...ends) && t <= Math.max(...ends))).map((t) => `<line class="grid" x1="${x(t)}" x2="${x(t)}" y1="0" y2="${place.end}"/>${text(x(t), place.end + 16, number(t, scale.digits), "middle")}`);
  rows.forEach((row, j) => {
    const y = place.y(j) + 13;
    const lines = [row.name, number(row.value, digits)];
    let shape = `<rect class="hit" x="0" y="${y - 13}" width="${width}" height="26"/>`;
    if (row.low !== undefined && row.high !== undefined) {
      shape += `<line class="interval" x1="${x(row.low)}" x2="${x(row.high)}" y1="${y}" y2="${y}"/>`;
      lines.push(`${number(row.low, digits)} … ${number(row.high, digits)}`);
    }
    shape += `<circle class="dot shown" cx="${x(row.value)}" cy="${y}" r="5"/>`;
    parts.push(place.label(j), mark(shape, [...lines, ...(row.more ?? [])], 0, j, j === 0, row.open));
  });
  return svg(page, width, place.end + 24, label, parts);
}

function rowsOf({ width }, rows, tall) {
  const left = margin(width, rows.map((r) => r.name));
  const above = width < NARROW ? 18 : 0;
  const y = (j) => j * (tall + above) + above;
  const label = (j) => (above ? text(2, y(j) - 4, cut(rows[j].name, width - 8), "start", "ink halo") : text(left - 8, y(j) + 17, cut(rows[j].name, left - 14), "end", "ink"));
  return { left, y, label, end: rows.length * (tall + above) };
}
