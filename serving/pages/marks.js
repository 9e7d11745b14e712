// Reads out the mark under the pointer or the focus; arrow keys go to its neighbours, Escape ends it.

const tip = document.getElementById("tip");

function show(mark) {
  tip.textContent = mark.getAttribute("aria-label");
  tip.hidden = false;
  const at = (mark.querySelector(".dot") || mark).getBoundingClientRect();
  const left = at.x + at.width / 2 - tip.offsetWidth / 2;
  const above = at.y - tip.offsetHeight - 10;
  tip.style.left = `${Math.max(8, Math.min(left, document.documentElement.clientWidth - tip.offsetWidth - 8))}px`;
  tip.style.top = `${above < 8 ? at.bottom + 10 : above}px`;
}

function hide() {
  tip.hidden = true;
}

// The next mark in the same row or column.
function neighbour(mark, key) {
  const [along, fixed] = key === "ArrowLeft" || key === "ArrowRight" ? ["x", "y"] : ["y", "x"];
  const sign = key === "ArrowLeft" || key === "ArrowUp" ? -1 : 1;
  const away = (other) => sign * (other.dataset[along] - mark.dataset[along]);
  const line = [...mark.ownerSVGElement.querySelectorAll(".m")].filter((m) => m.dataset[fixed] === mark.dataset[fixed] && away(m) > 0);
  return line.sort((a, b) => away(a) - away(b))[0];
}

document.addEventListener("pointerover", (event) => {
  const mark = event.target.closest(".m");
  if (mark) show(mark);
  else hide();
});
document.addEventListener("focusin", (event) => {
  const mark = event.target.closest(".m");
  if (!mark) return hide();
  for (const other of mark.ownerSVGElement.querySelectorAll('.m[tabindex="0"]')) other.setAttribute("tabindex", "-1");
  mark.setAttribute("tabindex", "0");
  show(mark);
});
document.addEventListener("keydown", (event) => {
  const mark = document.activeElement.closest(".m");
  if (event.key === "Escape") hide();
  if (!mark || !event.key.startsWith("Arrow")) return;
  event.preventDefault();
  neighbour(mark, event.key)?.focus();
});
document.addEventListener("scroll", hide, { passive: true, capture: true });
