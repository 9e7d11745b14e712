// The dashboard. It reads the public API and nothing else; what it shows can be asked for by anyone.

const WORDS = {
  en: {
    target: "Target", asof: "As of the end of", known: "as of", since: "News since", key: "API key", ask: "Show", other: "简体中文",
    backcast: "backcast", nowcast: "nowcast", forecast: "forecast", published: "published",
    real: "real time: days and values as they were", pseudo: "pseudo real time: one vintage, cut by usual publication delays",
    why: "What moved it", before: "before", after: "after", change: "change", series: "Series", expected: "expected", actual: "actual", impact: "impact",
    release: "release", revision: "revision", "re-estimation": "re-estimation", parameters: "New parameters", smaller: (n) => `${n} smaller`,
    history: "published", band: (p) => `${p} % band`, estimate: "estimate",
    moved: (a, b, x, y) => `from ${x} on ${a} to ${y} on ${b}`, none: "Nothing to compare with before this day.",
    model: "Model", version: "version", run: "run", learned: "learned as of", timing: "timing", panel: "panel", same: "The same numbers:",
    synthetic: "Synthetic data: a made-up place. Nothing here is an official figure.", mark: "SYNTHETIC DATA",
  },
  zh: {
    target: "目标", asof: "截至该日终", known: "截至", since: "与此日比较", key: "API 密钥", ask: "查询", other: "English",
    backcast: "回溯预测", nowcast: "现时预测", forecast: "预测", published: "已公布",
    real: "实时：日期与数值均为当时所见", pseudo: "伪实时：同一版本数据，按通常发布时滞截取",
    why: "变动原因", before: "之前", after: "之后", change: "变动", series: "指标", expected: "预期", actual: "实际", impact: "影响",
    release: "新发布", revision: "修订", "re-estimation": "参数重估", parameters: "参数重估", smaller: (n) => `其余 ${n} 项`,
    history: "已公布", band: (p) => `${p}% 区间`, estimate: "估计",
    moved: (a, b, x, y) => `${a} 为 ${x}，${b} 为 ${y}`, none: "此日之前没有可比较的数据。",
    model: "模型", version: "版本", run: "运行", learned: "参数学习截至", timing: "时效", panel: "数据面板", same: "同样的数字：",
    synthetic: "合成数据：虚构地区，并非官方统计。", mark: "合成数据",
  },
};
const BANDS = [["95", "q025", "q975", 0.18], ["80", "q100", "q900", 0.3], ["50", "q250", "q750", 0.5]];
const SHOWN = 10;

const $ = (id) => document.getElementById(id);
const form = $("question");
const state = { lang: "en", answer: null, history: null, news: null, period: null };

const say = (word) => WORDS[state.lang][word];
const name = (thing) => (state.lang === "zh" ? thing.name_zh : thing.name_en);
const number = (x, digits = 2) => x.toFixed(digits).replace(/^-(?=0\.?0*$)/, "").replace("-", "−");
const signed = (x, digits = 2) => (x < 0 ? "" : "+") + number(x, digits);
const escaped = (text) => String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" }[c]));
const path = (target, query, more = "") =>
  `v1/nowcasts/${encodeURIComponent(target)}${more}?${new URLSearchParams(Object.entries(query).filter(([, v]) => v))}`;

async function get(url) {
  const key = form.key.value || sessionStorage.getItem("key") || "";
  const reply = await fetch(url, { headers: key ? { "X-API-Key": key } : {} });
  const body = await reply.json();
  if (reply.ok) {
    if (key) sessionStorage.setItem("key", key);
    return body;
  }
  if (reply.status === 401) $("key").hidden = false;
  throw Object.assign(new Error(body.detail), { status: reply.status });
}

async function start() {
  const query = new URLSearchParams(location.search);
  state.lang = query.get("lang") || (navigator.language.startsWith("zh") ? "zh" : "en");
  form.asof.value = query.get("asof") || "";
  form.from.value = query.get("from") || "";
  words();
  await show(query.get("target"));
}

async function show(wanted) {
  $("problem").hidden = true;
  try {
    if (!form.target.options.length) {
      const { models } = await get("v1/models");
      const targets = models.filter((m) => m.kind === "nowcast" && m.champion && m.target).map((m) => m.target);
      if (!targets.length) await get("readyz"); // says what is missing
      form.target.replaceChildren(...targets.map((t) => new Option(t, t, false, t === wanted)));
    }
    const target = form.target.value;
    state.answer = await get(path(target, { asof: form.asof.value }));
    form.asof.value = state.answer.asof;
    state.history = await get(`v1/series/${encodeURIComponent(target)}?asof=${state.answer.asof}`);
    const open = state.answer.estimates.filter((e) => e.status === "estimated");
    if (!state.answer.estimates.some((e) => e.period === state.period)) state.period = (open[0] || state.answer.estimates[0]).period;
    await explain();
    const query = { target, asof: form.asof.value, from: form.from.value, lang: state.lang };
    history.replaceState(null, "", `?${new URLSearchParams(Object.entries(query).filter(([, v]) => v))}`);
    draw();
  } catch (error) {
    $("problem").textContent = error.message;
    $("problem").hidden = false;
    $("answer").hidden = !state.answer;
  }
}

async function explain() {
  const { target, asof } = state.answer;
  try {
    state.news = await get(path(target, { from: form.from.value, to: asof, period: state.period }, "/news"));
    form.from.value = state.news.before.asof;
  } catch (error) {
    if (error.status !== 422) throw error;
    state.news = null;
  }
}

function words() {
  document.documentElement.lang = state.lang === "zh" ? "zh-CN" : "en";
  for (const place of document.querySelectorAll("[data-say]")) place.textContent = say(place.dataset.say);
  $("language").textContent = say("other");
}

function draw() {
  const { answer } = state;
  $("answer").hidden = false;
  $("title").textContent = name(answer);
  $("synthetic").hidden = !answer.is_synthetic;
  $("synthetic").textContent = say("synthetic");
  const unit = (state.lang === "zh" && answer.unit_zh) || answer.unit;
  $("unit").textContent = `${answer.target} · ${unit} · ${say("known")} ${answer.asof}`;
  $("numbers").innerHTML = answer.estimates.map(headline).join("");
  $("chart").innerHTML = chart(answer, state.history.values);
  $("legend").innerHTML = legend();
  $("why").textContent = say("why");
  $("tabs").replaceChildren(...answer.estimates.map(tab));
  drawNews();
  drawOrigin();
}

function headline(e) {
  const out = e.status === "published";
  const bands = out ? "" : BANDS.toReversed().map(([p, lo, hi]) =>
    `<div class="band">${say("band")(p)} ${number(e.quantiles[lo], 1)} … ${number(e.quantiles[hi], 1)}</div>`).join("");
  return `<div class="${e.status}"><div class="period">${e.period} · ${say(out ? "published" : e.phase)}</div>
    <div class="mean">${number(out ? e.released : e.mean)}</div>${bands}</div>`;
}

// Bars: what was published by then, the last three years. Boxes: bands of what was not.
function chart(answer, values) {
  const estimated = answer.estimates.filter((e) => e.status === "estimated");
  const past = values.filter((v) => v.analysed !== null).slice(-12);
  const ends = [0, ...past.map((v) => v.analysed), ...estimated.flatMap((e) => [e.quantiles.q025, e.quantiles.q975])];
  const [W, H, left, right, top, bottom] = [560, 290, 34, 6, 14, 26];
  const step = nice((Math.max(...ends) - Math.min(...ends)) / 5);
  const [lo, hi] = [Math.floor(Math.min(...ends) / step) * step, Math.ceil(Math.max(...ends) / step) * step];
  const slots = past.length + estimated.length;
  const width = (W - left - right) / slots;
  const x = (i) => left + (i + 0.5) * width;
  const y = (v) => top + ((hi - v) / (hi - lo)) * (H - top - bottom);
  const box = (i, a, b, share, rest) =>
    `<rect x="${x(i) - (width * share) / 2}" width="${width * share}" y="${Math.min(y(a), y(b))}" height="${Math.abs(y(a) - y(b))}" ${rest}`;
  const parts = [];
  for (let v = lo; v <= hi + step / 2; v += step) {
    const zero = Math.abs(v) < step / 2;
    parts.push(`<line class="${zero ? "zero" : "grid"}" x1="${left}" x2="${W - right}" y1="${y(v)}" y2="${y(v)}"/>`,
      `<text x="${left - 6}" y="${y(v) + 4}" text-anchor="end">${number(v, step < 1 ? 1 : 0)}</text>`);
  }
  const label = (i, period) => (slots - i) % 2 === 1 &&
    parts.push(`<text x="${x(i)}" y="${H - 8}" text-anchor="middle">${escaped(period.replace(/^20/, "’").replace("-", " "))}</text>`);
  past.forEach((v, i) => {
    parts.push(box(i, 0, v.analysed, 0.62, `rx="1.5" class="history"><title>${v.period}: ${number(v.analysed)}</title></rect>`));
    label(i, v.period);
  });
  estimated.forEach((e, k) => {
    const i = past.length + k;
    const q = e.quantiles;
    for (const [p, a, b, opacity] of BANDS) {
      parts.push(box(i, q[a], q[b], 0.62, `class="band" fill-opacity="${opacity}"><title>${e.period}, ${say("band")(p)}: ${number(q[a])} … ${number(q[b])}</title></rect>`));
    }
    parts.push(`<circle class="mark" cx="${x(i)}" cy="${y(e.mean)}" r="4.5"><title>${e.period}: ${number(e.mean)}</title></circle>`,
      `<text class="value" x="${x(i)}" y="${y(q.q975) - 5}" text-anchor="middle">${number(e.mean)}</text>`);
    label(i, e.period);
  });
  if (answer.is_synthetic) {
    parts.push(`<text class="synthetic" x="${W / 2}" y="${H / 2}" transform="rotate(-18 ${W / 2} ${H / 2})" text-anchor="middle">${say("mark")}</text>`);
  }
  return `<svg class="plot" viewBox="0 0 ${W} ${H}" role="img" aria-labelledby="title">${parts.join("")}</svg>`;
}

function nice(rough) {
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].find((m) => m * power >= rough) * power;
}

function legend() {
  const swatch = (inner) => `<svg width="14" height="14" aria-hidden="true">${inner}</svg>`;
  const layer = ([, , , opacity]) => `<rect width="14" height="14" class="band" fill-opacity="${opacity}"/>`;
  const bands = BANDS.map(([p], n) => `<span>${swatch(BANDS.slice(0, n + 1).map(layer).join(""))}${say("band")(p)}</span>`);
  return [`<span>${swatch('<rect width="14" height="14" class="history"/>')}${say("history")}</span>`,
    `<span>${swatch('<circle cx="7" cy="7" r="4.5" class="mark"/>')}${say("estimate")}</span>`, ...bands.reverse()].join("");
}

function tab(e) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = e.period;
  button.setAttribute("aria-pressed", e.period === state.period);
  button.addEventListener("click", async () => {
    state.period = e.period;
    await show();
  });
  return button;
}

function drawNews() {
  const { news } = state;
  if (!news) {
    $("moved").textContent = say("none");
    $("news").replaceChildren();
    return;
  }
  const strong = (x) => `<strong>${number(x)}</strong>`;
  $("moved").innerHTML = `${news.period}: ${say("moved")(news.before.asof, news.after.asof, strong(news.before.mean), strong(news.after.mean))}`;
  const items = news.items.filter((i, n) => n < SHOWN && Math.abs(i.impact) >= 0.0005);
  const rest = news.items.slice(items.length);
  const most = Math.max(...items.map((i) => Math.abs(i.impact)), 1e-9);
  const rows = items.map((i) => {
    const what = i.series ? name(i) : say("parameters");
    const when = i.series ? `${i.period} · ${say(i.kind)}` : "";
    const cell = (x) => `<td class="n">${x === null ? "" : number(x)}</td>`;
    return `<tr><td>${escaped(what)}<small>${when}</small></td>${cell(i.expected)}${cell(i.actual)}
      <td class="bar">${bar(i.impact / most)}</td><td class="n">${signed(i.impact, 3)}</td></tr>`;
  });
  if (rest.length) {
    const sum = rest.reduce((total, i) => total + i.impact, 0);
    rows.push(`<tr class="rest"><td colspan="4">${say("smaller")(rest.length)}</td><td class="n">${signed(sum, 3)}</td></tr>`);
  }
  rows.push(`<tr class="end"><td colspan="4">${say("change")}</td><td class="n">${signed(news.change, 3)}</td></tr>`);
  $("news").innerHTML = `<table><thead><tr><th>${say("series")}</th><th class="n">${say("expected")}</th><th class="n">${say("actual")}</th>
    <th></th><th class="n">${say("impact")}</th></tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

function bar(share) {
  const length = Math.abs(share) * 49;
  return `<svg viewBox="0 0 100 16" preserveAspectRatio="none" aria-hidden="true"><line class="grid" x1="50" x2="50" y1="0" y2="16"/>
    <rect class="${share < 0 ? "down" : "up"}" x="${share < 0 ? 50 - length : 50}" y="3" width="${length}" height="10"/></svg>`;
}

function drawOrigin() {
  const { answer, news } = state;
  const facts = [["model", answer.model], ["version", answer.version], ["run", answer.run_id], ["known", answer.asof],
    ["learned", answer.fitted_asof], ["timing", say(answer.timing)], ["panel", answer.panel.slice(0, 16)]];
  const calls = [path(answer.target, { asof: answer.asof })];
  if (news) calls.push(path(answer.target, { from: news.before.asof, to: news.after.asof, period: news.period }, "/news"));
  $("origin").innerHTML = `<dl>${facts.map(([k, v]) => `<div><dt>${say(k)}</dt><dd>${escaped(v)}</dd></div>`).join("")}</dl>
    <div>${say("same")} ${calls.map((c) => `<a href="${escaped(c)}">GET /${escaped(decodeURIComponent(c))}</a>`).join("")}</div>`;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  show();
});
$("language").addEventListener("click", () => {
  state.lang = state.lang === "zh" ? "en" : "zh";
  const query = new URLSearchParams(location.search);
  query.set("lang", state.lang);
  history.replaceState(null, "", `?${query}`);
  words();
  if (state.answer) draw();
});
start();
