// Draws sections of the dashboard without a browser: questions come as JSON on stdin, HTML goes out as JSON.
import { pathToFileURL } from "node:url";

globalThis.sessionStorage = { getItem: () => null, setItem: () => {} };
const [pages] = process.argv.slice(2);
const at = (file) => pathToFileURL(`${pages}/${file}`).href;
const { default: sections } = await import(at("sections/all.js"));
const { WORDS } = await import(at("words.js"));

let body = "";
for await (const chunk of process.stdin) body += chunk;
const { answers, asked } = JSON.parse(body);
const missing = [];
globalThis.fetch = async (url) => {
  const known = answers[decodeURIComponent(url).split("?")[0]];
  if (!known) missing.push(url);
  return { ok: Boolean(known), status: known ? 200 : 404, json: async () => known ?? { detail: `no ${url}` } };
};

const drawn = [];
for (const { name, lang, width, target, choice = {}, models = [] } of asked) {
  const section = sections.find((s) => s.name === name);
  const data = await section.load({ target, asof: "", choice, models });
  const say = (word) => section.words[lang][word] ?? WORDS[lang][word] ?? word;
  const called = (thing, code = "") => (lang === "zh" ? thing.name_zh || thing.name_en : thing.name_en || thing.name_zh) || code;
  drawn.push({ name, lang, width, html: section.draw({ data, say, name: called, choice, synthetic: data.synthetic, width, zh: lang === "zh" }) });
}
const about = sections.map(({ name, kind, route, first = "" }) => ({ name, kind, route, first }));
process.stdout.write(JSON.stringify({ drawn, about, missing }));
