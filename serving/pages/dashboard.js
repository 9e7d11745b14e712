// The dashboard. It reads the public API and nothing else; what it shows can be asked for by anyone.
//
// A section is one file in sections/, named in sections/all.js, that exports
//   name   its place in the address, and the word for it in `words`
//   route  the path it reads, as /openapi.json writes it: without it, or without a champion, a section says so
//   kind   of the champions it shows; "" where it needs none
//   first  the target to begin with, without its region, if any
//   words  { en, zh }
//   load({ target, asof, choice, models }) -> what it was answered
//   later({ target, asof, choice, models, data }) -> what takes longer, added to data when it comes; none where all comes at once
//   draw(page) -> HTML; page: { data, say, name, width, choice, synthetic }. A field called data-choose="x" sets choice.x,
//   a form all that it holds, and what has data-open="x" sets choice.open and moves to what is called opened.

import { forget, get, use } from "./api.js";
import { escaped } from "./html.js";
import "./marks.js";
import sections from "./sections/all.js";
import { WORDS } from "./words.js";

const $ = (id) => document.getElementById(id);
const form = $("question");
const state = { lang: "en", section: sections[0], target: "", choice: {}, data: null, kept: "", routes: null, models: [], turn: 0 };

const say = (word) => state.section.words[state.lang][word] ?? WORDS[state.lang][word] ?? word;
const name = (thing, code = "") => (state.lang === "zh" ? thing.name_zh || thing.name_en : thing.name_en || thing.name_zh) || code;

async function start() {
  const query = new URLSearchParams(location.search);
  state.lang = query.get("lang") === "zh" || (!query.has("lang") && navigator.language.startsWith("zh")) ? "zh" : "en";
  form.asof.value = query.get("asof") || "";
  state.target = query.get("target") || "";
  const known = ["section", "target", "asof", "lang"];
  state.choice = Object.fromEntries([...query].filter(([k]) => !known.includes(k)));
  const asked = sections.find((s) => s.name === query.get("section"));
  await show(asked || (state.target ? sections.find((s) => s.name === "nowcasts") : null));
}

// Ask and draw; of questions that cross, the last one is shown.
async function show(section) {
  const turn = ++state.turn;
  state.section = section || state.section;
  words();
  $("answer").setAttribute("aria-busy", "true");
  try {
    state.routes ??= Object.keys((await get("openapi.json")).paths);
    state.models = (await get("v1/models")).models;
    if (!section && turn === 1) state.section = sections.find((s) => champions(s).length) || sections[0];
    const own = champions(state.section);
    const target = own.some((m) => m.target === state.target) ? state.target : own[0]?.target ?? "";
    words(own, target);
    const missing = lacking(own);
    const ask = { target, asof: form.asof.value, choice: state.choice, models: state.models };
    const data = missing ? null : await state.section.load(ask);
    if (turn !== state.turn) return;
    Object.assign(state, { target: target || state.target, data });
    remember();
    problem(missing);
    draw();
    if (data && state.section.later) await later(turn, ask);
  } catch (error) {
    if (turn !== state.turn) return;
    if (error.status === 401) $("key").hidden = false;
    state.data = null;
    problem(error.message);
    draw();
  }
  $("answer").setAttribute("aria-busy", "false");
}

async function later(turn, ask) {
  $("answer").setAttribute("aria-busy", "false");
  const more = await state.section.later({ ...ask, data: state.data });
  if (turn !== state.turn || !more) return;
  state.data = { ...state.data, ...more };
  draw();
}

// Those of a section, what it is named for first.
const champions = (section) => state.models.filter((m) => m.kind === section.kind && m.champion && m.target)
  .sort((a, b) => b.target.startsWith(`${section.first}@`) - a.target.startsWith(`${section.first}@`));

function lacking(own) {
  const { route, kind } = state.section;
  if (!state.routes.includes(route)) return say("unavailable")(route);
  return kind && !own.length ? say("nobody")(say(state.section.name)) : "";
}

function problem(said) {
  $("problem").textContent = said;
  $("problem").hidden = !said;
}

function words(own = [], target = "") {
  document.documentElement.lang = state.lang === "zh" ? "zh-CN" : "en";
  for (const place of document.querySelectorAll("[data-say]")) place.textContent = say(place.dataset.say);
  $("language").textContent = say("other");
  $("sections").setAttribute("aria-label", say("sections"));
  $("sections").innerHTML = sections.map((s) =>
    `<a href="?section=${s.name}"${s === state.section ? ' aria-current="page"' : ""}>${escaped(s.words[state.lang][s.name])}</a>`).join("");
  form.target.replaceChildren(...own.map((m) => new Option(m.target, m.target, false, m.target === target)));
  $("targets").hidden = !own.length;
}

function remember() {
  const said = { section: state.section.name, target: state.section.kind && state.target, asof: form.asof.value, lang: state.lang, ...state.choice };
  history.replaceState(null, "", `?${new URLSearchParams(Object.entries(said).filter(([, v]) => v))}`);
}

function draw() {
  const { data, section, choice } = state;
  const synthetic = Boolean(data?.synthetic);
  $("synthetic").hidden = !synthetic;
  $("synthetic").textContent = say("synthetic");
  const card = Math.min(document.documentElement.clientWidth, 1180) - (document.documentElement.clientWidth < 700 ? 42 : 86);
  const page = { data, say, name, choice, synthetic, width: Math.max(card, 240), zh: state.lang === "zh" };
  const kept = place(document.activeElement) || (document.activeElement === document.body && state.kept);
  $("answer").innerHTML = data ? section.draw(page) : "";
  const found = kept && $("answer").querySelector(kept);
  found?.focus?.({ preventScroll: true });
  state.kept = found ? "" : kept; // it may come later
}

// Where the focus is in what is drawn, so that it stays there when that is drawn anew.
function place(field) {
  if (!$("answer").contains(field)) return "";
  if (field.id) return `#${field.id}`;
  if (field.dataset.open) return `[data-open="${CSS.escape(field.dataset.open)}"]`;
  if (field.name) return `[name="${field.name}"]`;
  if (!field.dataset.choose) return field.matches("form button") ? "form button" : "";
  return `[data-choose="${field.dataset.choose}"]${field.matches("button") ? `[value="${CSS.escape(field.value)}"]` : ""}`;
}

function choose(field, value) {
  state.choice = { ...state.choice, [field]: value };
  return show(state.section);
}

// Drawn at once, without its numbers; these come later.
function open(field) {
  const mark = field.closest("[data-open]");
  if (mark) choose("open", mark.dataset.open).then(() => $("opened")?.focus());
  return Boolean(mark);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  forget();
  use(form.key.value);
  show(state.section);
});
form.target.addEventListener("change", () => {
  state.target = form.target.value;
  state.choice = {};
  show(state.section);
});
$("sections").addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  state.choice = {};
  show(sections.find((s) => link.getAttribute("href") === `?section=${s.name}`)).then(() => $("sections").querySelector("[aria-current]").focus());
});
$("answer").addEventListener("change", (event) => event.target.dataset.choose && choose(event.target.dataset.choose, event.target.value));
$("answer").addEventListener("submit", (event) => {
  event.preventDefault();
  state.choice = { ...state.choice, ...Object.fromEntries(new FormData(event.target)) };
  show(state.section);
});
$("answer").addEventListener("click", (event) => {
  const button = event.target.closest("button[data-choose]");
  if (button) choose(button.dataset.choose, button.value);
  open(event.target);
});
$("answer").addEventListener("keydown", (event) => (event.key === "Enter" || event.key === " ") && open(event.target) && event.preventDefault());
$("language").addEventListener("click", () => {
  state.lang = state.lang === "zh" ? "en" : "zh";
  show(state.section);
});
let width = document.documentElement.clientWidth;
addEventListener("resize", () => {
  if (width === document.documentElement.clientWidth) return;
  width = document.documentElement.clientWidth;
  draw();
});
start();
