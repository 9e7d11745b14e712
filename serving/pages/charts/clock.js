// The cycle clock: change over six months across, level up; the newest 36 months go round it.

import { mark, number, svg, text } from "../html.js";

const SHOWN = 36;
const PHASES = [["expansion", 1, 1], ["downturn", 0, 1], ["contraction", 0, 0], ["recovery", 1, 0]];

// rows: of /cycle, ascending.
export function clock(page, rows, label) {
  const { say } = page;
  const own = rows.filter((r) => r.change !== null && r.level !== null).slice(-SHOWN);
  if (!own.length) return "";
  const [size, pad] = [Math.min(page.width, 440), 40];
  const reach = 1.15 * Math.max(1.5, ...own.flatMap((r) => [Math.abs(r.change), Math.abs(r.level)]));
  const scale = (size - 2 * pad) / (2 * reach);
  const at = (r) => [pad + (r.change + reach) * scale, pad + (reach - r.level) * scale];
  const middle = size / 2;
  const parts = PHASES.flatMap(([phase, rising, high]) => [
    `<rect class="in-${phase}" x="${rising ? middle : pad}" y="${high ? pad : middle}" width="${middle - pad}" height="${middle - pad}"/>`,
    text(rising ? size - pad - 8 : pad + 8, high ? pad + 18 : size - pad - 8, say(phase), rising ? "end" : "start", "strong")]);
  parts.push(`<polyline class="line" points="${own.map((r) => at(r).map((v) => v.toFixed(1)).join(",")).join(" ")}"/>`);
  own.forEach((r, k) => {
    const last = k === own.length - 1;
    const [x, y] = at(r);
    const lines = [r.period, say(r.phase), `${say("level")}: ${number(r.level)} σ`, `${say("change")}: ${number(r.change)} σ`];
    parts.push(mark(`<circle class="dot shown${last ? " last" : ""}" cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${last ? 8 : 3}"/>`, lines, k, 0, last));
    if (last) parts.push(text(x + (x > middle ? -12 : 12), y + 4, r.period, x > middle ? "end" : "start", "ink strong halo"));
  });
  parts.push(text(middle, size - 12, say("across"), "middle"), text(pad, 24, say("up")));
  return svg(page, size, size, label, parts, "square");
}
