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
  const status = known ? known.status ?? 200 : 404; // a problem brings its own
  return { ok: status < 400, status, json: async () => known ?? { detail: `no ${url}` } };
};

const drawn = [];
for (const { name, lang, width, target, choice = {}, models = [] } of asked) {
  const section = sections.find((s) => s.name === name);
  const data = await section.load({ target, asof: "", choice, models });
  const shown = { ...data, ...(await section.later?.({ target, asof: "", choice, models, data })) };
  const say = (word) => section.words[lang][word] ?? WORDS[lang][word] ?? word;
  const called = (thing, code = "") => (lang === "zh" ? thing.name_zh || thing.name_en : thing.name_en || thing.name_zh) || code;
  const draw = (said) => section.draw({ data: said, say, name: called, choice, synthetic: data.synthetic, width, zh: lang === "zh" });
  drawn.push({ name, lang, width, first: draw(data), html: draw(shown) });
}
const about = sections.map(({ name, kind, route, first = "" }) => ({ name, kind, route, first }));
process.stdout.write(JSON.stringify({ drawn, about, missing }));
