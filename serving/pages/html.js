// Numbers, names and tables as HTML, and SVG's small change.

export const escaped = (text) => String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" }[c]));
export const number = (x, digits = 2) => x.toFixed(digits).replace(/^-(?=0\.?0*$)/, "").replace("-", "−");
export const signed = (x, digits = 2) => (x < 0 ? "" : "+") + number(x, digits);
export const path = (route, query = {}) => `${route}?${new URLSearchParams(Object.entries(query).filter(([, v]) => v))}`.replace(/\?$/, "");
export const shown = (x, digits = 2) => (x === null || x === undefined ? "" : `<data value="${x}">${number(x, digits)}</data>`);

// Four to nine round numbers that hold both ends.
export function ticks(low, high) {
  const rough = (high - low) / 5 || Math.abs(high) / 5 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].find((m) => m * power >= rough * (1 - 1e-9)) * power;
  const [first, last] = [Math.floor(low / step + 1e-9), Math.ceil(high / step - 1e-9)];
  const at = Array.from({ length: Math.max(last - first, 1) + 1 }, (_, k) => (first + k) * step);
  return { at, digits: Math.max(0, ...[step].map((s) => (s.toFixed(9).replace(/0+$/, "").split(".")[1] || "").length)) };
}

// Folded; cells are HTML already, the first of a row is its head.
export function table(say, heads, rows) {
  const body = rows.map(([head, ...cells]) => `<tr><th scope="row">${head}</th>${cells.map((c) => `<td>${c}</td>`).join("")}</tr>`);
  return `<details class="data"><summary>${say("table")}</summary><div class="wide" tabindex="0" role="region" aria-label="${say("table")}"><table>
    <thead><tr>${heads.map((h) => `<th scope="col">${escaped(h)}</th>`).join("")}</tr></thead><tbody>${body.join("")}</tbody></table></div></details>`;
}

// A chart of that many pixels; across it, that the place is made up.
export function svg(page, width, height, label, parts, kind = "") {
  const [x, y] = [width / 2, height / 2 + 8];
  const mark = `<text class="synthetic" x="${x}" y="${y}" transform="rotate(-12 ${x} ${y})" text-anchor="middle">${escaped(page.say("mark"))}</text>`;
  return `<svg class="plot ${kind}" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="group" aria-label="${escaped(label)}">
    ${parts.join("")}${page.synthetic ? mark : ""}</svg>`;
}

// A bar in a cell: from the middle to either side, or from the left where shares are never below 0.
export function bar(share, whole = false) {
  const [zero, reach] = whole ? [0, 100] : [50, 49];
  const length = Math.min(Math.abs(share), 1) * reach;
  return `<svg viewBox="0 0 100 16" preserveAspectRatio="none" aria-hidden="true"><line class="grid" x1="${zero}" x2="${zero}" y1="0" y2="16"/>
    <rect class="${share < 0 ? "down" : "up"}" x="${share < 0 ? zero - length : zero}" y="3" width="${length}" height="10"/></svg>`;
}

// A shape that reads out these lines; x and y: its column and row, by which arrow keys move; open: what a click or Enter opens.
export const mark = (shape, lines, x, y, first, open = "") =>
  `<g class="m" role="${open ? "button" : "img"}"${open ? ` data-open="${escaped(open)}"` : ""} tabindex="${first ? 0 : -1}" data-x="${x}" data-y="${y}" aria-label="${escaped(lines.join("\n")).replaceAll("\n", "&#10;")}">${shape}</g>`;

export const text = (x, y, said, anchor = "start", kind = "") =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" class="${kind}">${escaped(said)}</text>`;

// As much of a label as has room, a Chinese letter taking that of two.
export function cut(said, room) {
  let left = room / 6.6;
  for (let n = 0; n < said.length; n++) {
    left -= said.charCodeAt(n) > 255 ? 1.85 : 1;
    if (left < 0) return `${said.slice(0, Math.max(n - 1, 1))}…`;
  }
  return said;
}

// Room for the longest label at the left, at most a third of the width; none where labels stand above their rows.
export function margin(width, names) {
  if (width < NARROW) return 0;
  const long = (said) => [...said].reduce((sum, c) => sum + (c.charCodeAt(0) > 255 ? 12.4 : 6.8), 0);
  return Math.min(22 + Math.max(0, ...names.map(long)), width / 3);
}

export const NARROW = 560;
