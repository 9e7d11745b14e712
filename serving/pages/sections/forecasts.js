// Published figures carried on: one series, what was published and the fan of what is not.

import { get, orReason } from "../api.js";
import { course } from "../charts/course.js";
import { escaped, path } from "../html.js";
import { BANDS, origin } from "../readings.js";

const WORDS = {
  en: {
    forecasts: "Forecasts", series: "Series", until: "Until", which: (n, all) => `${n} of ${all} series. Type an id, or words of a name or a region; or choose one.`,
    estimate: "forecast", published: "published", index: "value", fewer: (n) => `and ${n} more`,
    backcast: "backcast", nowcast: "nowcast", forecast: "forecast", not: "No forecast:", nothing: "Nothing of it was known on this day.",
    by_champion: (model, version) => `Answered by the champion, ${model}, version ${version}.`,
    by_default: (model) => `No champion of its own: answered by ${model}, fitted to what was known that day.`,
  },
  zh: {
    forecasts: "指标预测", series: "指标", until: "预测至", which: (n, all) => `共 ${all} 个指标，符合 ${n} 个。请输入指标代码、名称或地区，或直接选取。`,
    estimate: "预测", published: "已公布", index: "数值", fewer: (n) => `另有 ${n} 个`,
    backcast: "回溯预测", nowcast: "现时预测", forecast: "预测", not: "无法预测：", nothing: "此日尚无该指标数据。",
    by_champion: (model, version) => `由现任模型 ${model}（版本 ${version}）预测。`,
    by_default: (model) => `该指标无现任模型：由 ${model} 按当日已知数据即时估计。`,
  },
};
const SHOWN = { M: 48, Q: 24, A: 15 }; // of the newest published periods
const OFFERED = 12;

const published = (id, asof) => path(`v1/series/${encodeURIComponent(id)}`, { asof });
const carried = (id, asof, to) => path(`v1/forecasts/${encodeURIComponent(id)}`, { asof, to });

export default {
  name: "forecasts",
  kind: "",
  route: "/v1/forecasts/{id}",
  words: WORDS,

  async load({ asof, choice, models }) {
    const all = (await get("v1/indicators")).indicators.filter((i) => i.freq in SHOWN);
    const asked = (choice.series ?? models.find((m) => m.kind === "forecast" && m.champion)?.target ?? "").trim();
    const one = all.find((i) => i.id === asked);
    if (!one) return { all, asked, found: all.filter((i) => matches(i, asked)), synthetic: false };
    const { values, asof: known } = await get(published(one.id, asof));
    return { all, asked, one, known, values: values.filter((v) => v.analysed !== null), synthetic: one.is_synthetic };
  },

  // A model that is fitted on the spot takes its time.
  async later({ choice, data: { one, known } }) {
    if (!one) return null;
    const answer = await orReason(get(carried(one.id, known, choice.to)));
    return answer.failed ? { failed: answer.failed } : { answer };
  },

  draw(page) {
    const { say, name, zh, choice, data: { all, asked, one, known, values, found, answer, failed } } = page;
    const ids = all.map((i) => `<option value="${escaped(i.id)}">${escaped(`${name(i)}, ${zh ? i.region_zh : i.region_en}`)}</option>`);
    const form = `<form class="own"><label><span>${say("series")}</span><input type="search" name="series" data-choose="series" list="ids" autocomplete="off" size="28" value="${escaped(asked)}"></label>
      <datalist id="ids">${ids.join("")}</datalist>
      <label><span>${say("until")}</span><input name="to" size="9" placeholder="2026-12" value="${escaped(choice.to ?? "")}"></label><button>${say("ask")}</button></form>`;
    if (!one) return `<section><h2 id="title">${say("forecasts")}</h2>${form}${offered(page, found, all)}</section>`;
    const unit = (zh && one.unit_analysed_zh) || one.unit_analysed;
    const head = `<h2 id="title">${escaped(name(one, one.id))}</h2><p class="soft">${escaped(one.id)} · ${escaped(zh ? one.region_zh : one.region_en)} · ${escaped(unit)} · ${say("known")} ${known}</p>`;
    const chart = values.length ? fan(page, values.slice(-SHOWN[one.freq]), answer?.estimates ?? []) : `<p class="soft">${say("nothing")}</p>`;
    return `<section>${form}${head}${who(say, answer, failed)}${chart}
      ${answer ? origin(page, answer, [carried(one.id, known, choice.to), published(one.id, known)]) : ""}</section>`;
  },
};

function matches(series, asked) {
  const text = Object.values(series).join(" ").toLowerCase();
  return asked.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

function offered({ say, name, zh }, found, all) {
  const buttons = found.slice(0, OFFERED).map((i) => `<li><button type="button" data-choose="series" value="${escaped(i.id)}">${escaped(i.id)}</button>
    ${escaped(name(i))}, ${escaped(zh ? i.region_zh : i.region_en)}</li>`);
  const rest = found.length - buttons.length;
  return `<p class="soft">${say("which")(found.length, all.length)}</p><ul class="offered">${buttons.join("")}</ul>${rest > 0 ? `<p class="soft">${say("fewer")(rest)}</p>` : ""}`;
}

function who(say, answer, failed) {
  if (failed) return `<p class="told" role="note"><strong>${say("not")}</strong> ${escaped(failed)}</p>`;
  if (!answer) return `<p class="soft">${say("loading")}</p>`;
  return `<p class="soft">${answer.version ? say("by_champion")(answer.model, answer.version) : say("by_default")(answer.model)}</p>`;
}

// The bands open from the newest published value.
function fan(page, values, estimates) {
  const { say } = page;
  const past = values.map((v) => v.analysed);
  const edge = (level) => [...past.map((v, k) => (k === past.length - 1 ? v : null)), ...estimates.map((e) => e.quantiles[level])];
  const one = {
    periods: [...values, ...estimates].map((v) => v.period),
    index: [...past, ...estimates.map((e) => e.mean)],
    bands: estimates.length ? BANDS.map(([percent, low, high]) => ({ percent, low: edge(low), high: edge(high) })) : [],
  };
  const lit = new Map([...values.map((v) => [v.period, say("published")]), ...estimates.map((e) => [e.period, say(e.phase)])]);
  return course(page, one, page.name(page.data.one, page.data.one.id), { lit, ahead: past.length });
}
