"use strict";
// Reads out the mark under the pointer or the focus, in the language that is chosen. What is read out was written by the page.
const tip = document.getElementById("tip");
const language = () => (document.getElementById("zh").checked ? "zh" : "en");

function show(mark) {
  tip.textContent = mark.dataset[language()];
  tip.hidden = false;
  const at = (mark.querySelector(".dot") || mark).getBoundingClientRect();
  const left = at.x + at.width / 2 - tip.offsetWidth / 2;
  const above = at.y - tip.offsetHeight - 10;
  tip.style.left = `${Math.max(8, Math.min(left, innerWidth - tip.offsetWidth - 8))}px`;
  tip.style.top = `${above < 8 ? at.bottom + 10 : above}px`;
}

function hide() {
  tip.hidden = true;
}

// The neighbour of a mark: the next one in its row or its column.
function neighbour(mark, key) {
  const across = key === "ArrowLeft" || key === "ArrowRight";
  const [along, fixed] = across ? ["x", "y"] : ["y", "x"];
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
  const next = neighbour(mark, event.key);
  if (next) next.focus();
});
document.addEventListener("scroll", hide, { passive: true, capture: true });

function speak() {
  document.documentElement.lang = language() === "zh" ? "zh-Hans" : "en";
  for (const named of document.querySelectorAll("[data-en]")) named.setAttribute("aria-label", named.dataset[language()]);
}
for (const choice of document.querySelectorAll("input[name=language]")) choice.addEventListener("change", speak);

function open() {
  const wanted = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (wanted) wanted.open = true;
}
addEventListener("hashchange", open);
addEventListener("beforeprint", () => {
  for (const folded of document.querySelectorAll("details")) folded.open = true;
});
open();
