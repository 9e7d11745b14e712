// Nowcasts: what was published, what is estimated with its bands, the news that moved it, and what is still to come.

import { get, orReason, post } from "../api.js";
import { awaited, supposed } from "../awaited.js";
import { box, BANDS, legend } from "../charts/releases.js";
import { bar, escaped, number, path, signed } from "../html.js";

const WORDS = {
  en: {
    nowcasts: "Nowcasts", since: "News since", backcast: "backcast", nowcast: "nowcast", forecast: "forecast", published: "published",
    why: "What moved it", before: "before", after: "after", sum: "change", series: "Series", expected: "expected", actual: "actual", impact: "impact",
    release: "release", revision: "revision", weights: "new weights", "re-estimation": "re-estimation", parameters: "New parameters", smaller: (n) => `${n} smaller`,
    estimate: "estimate", moved: (a, b, x, y) => `from ${x} on ${a} to ${y} on ${b}`, none: "Nothing to compare with before this day.",
    coming: "Coming releases", narrows: (sd) => `standard deviation now ${sd}. Share of its variance that each release takes away: alone, and in turn after all that come before it.`,
    alone: "alone", in_turn: "in turn", overdue: "overdue", settled: "no release still to come would narrow it.",
    what_if: "What if", coming_one: "Coming release", would_be: "Value", suppose: "Suppose",
  },
  zh: {
    nowcasts: "现时预测", since: "与此日比较", backcast: "回溯预测", nowcast: "现时预测", forecast: "预测", published: "已公布",
    why: "变动原因", before: "之前", after: "之后", sum: "变动", series: "指标", expected: "预期", actual: "实际", impact: "影响",
    release: "新发布", revision: "修订", weights: "权重变化", "re-estimation": "参数重估", parameters: "参数重估", smaller: (n) => `其余 ${n} 项`,
    estimate: "估计", moved: (a, b, x, y) => `${a} 为 ${x}，${b} 为 ${y}`, none: "此日之前没有可比较的数据。",
    coming: "即将发布", narrows: (sd) => `当前标准差 ${sd}。各项发布可消除的方差占比：单独发布，以及在此前各项发布之后依次发布。`,
    alone: "单独", in_turn: "依次", overdue: "逾期未发布", settled: "待发布数据不会再缩小其区间。",
    what_if: "假设情形", coming_one: "待发布数据", would_be: "假设值", suppose: "测算",
  },
};
const SHOWN = 10;
const url = (target, query, more = "") => path(`v1/nowcasts/${encodeURIComponent(target)}${more}`, query);

export default {
  name: "nowcasts",
  kind: "nowcast",
  route: "/v1/nowcasts/{target}",
  words: WORDS,

  async load({ target, asof, choice }) {
    const answer = await get(url(target, { asof }));
    const { values } = await get(path(`v1/series/${encodeURIComponent(target)}`, { asof: answer.asof }));
    const open = answer.estimates.find((e) => e.status === "estimated") || answer.estimates[0];
    const period = (answer.estimates.find((e) => e.period === choice.period) || open).period;
    const news = await explained(target, { from: choice.from, to: answer.asof, period });
    return { answer, values, period, news, synthetic: answer.is_synthetic };
  },

  async later({ target, choice, data: { answer: { asof }, period } }) {
    const coming = await orReason(get(url(target, { asof, period }, "/coming")));
    const [series, of] = (choice.release ?? "").split(" ");
    if (coming.failed || !choice.value || !of) return { coming };
    const question = { asof, period, suppose: [{ series, period: of, value: Number(choice.value) }] };
    return { coming, what: await orReason(post(url(target, {}, "/what-if"), question)) };
  },

  draw(page) {
    const { say, name, zh, data: { answer, values, period, news, coming, what } } = page;
    const unit = (zh && answer.unit_zh) || answer.unit;
    const tabs = answer.estimates.map((e) => `<button type="button" data-choose="period" value="${e.period}" aria-pressed="${e.period === period}">${e.period}</button>`);
    const half = { ...page, width: page.width > 760 ? page.width * 0.56 : page.width };
    return `<section aria-labelledby="title"><h2 id="title">${escaped(name(answer))}</h2>
        <p class="soft">${escaped(answer.target)} · ${escaped(unit)} · ${say("known")} ${answer.asof}</p>
        <div class="numbers">${answer.estimates.map((e) => headline(say, e)).join("")}</div>
        <figure>${box(half, answer, values)}<figcaption class="legend">${legend(say)}</figcaption></figure>${origin(page)}</section>
      <section aria-labelledby="why"><h2 id="why">${say("why")}</h2>
        <label class="choice"><span>${say("since")}</span><input type="date" data-choose="from" value="${escaped(news?.before.asof ?? page.choice.from ?? "")}"></label>
        <div class="tabs" role="group">${tabs.join("")}</div>${explanation(page, news)}
        <h3>${say("coming")}</h3>${awaited(page, coming)}${supposed(page, coming, what)}</section>`;
  },
};

// The news since a day; none where there was nothing before it.
async function explained(target, query) {
  try {
    return await get(url(target, query, "/news"));
  } catch (error) {
    if (error.status !== 422) throw error;
    return null;
  }
}

function headline(say, e) {
  const out = e.status === "published";
  const bands = out ? "" : BANDS.toReversed().map(([p, lo, hi]) =>
    `<div class="soft">${say("band")(p)} ${number(e.quantiles[lo], 1)} … ${number(e.quantiles[hi], 1)}</div>`).join("");
  return `<div class="${e.status}"><div class="soft">${e.period} · ${say(out ? "published" : e.phase)}</div>
    <div class="mean">${number(out ? e.released : e.mean)}</div>${bands}</div>`;
}

function explanation(page, news) {
  const { say, name } = page;
  if (!news) return `<p class="soft">${say("none")}</p>`;
  const strong = (x) => `<strong>${number(x)}</strong>`;
  const items = news.items.filter((i, n) => n < SHOWN && Math.abs(i.impact) >= 0.0005);
  const rest = news.items.slice(items.length);
  const most = Math.max(...items.map((i) => Math.abs(i.impact)), 1e-9);
  const rows = items.map((i) => {
    const what = i.series ? name(i, i.series) : say("parameters");
    const when = i.series ? `${i.period} · ${say(i.kind)}` : "";
    const cell = (x) => `<td class="n few">${x === null ? "" : number(x)}</td>`;
    return `<tr><td>${escaped(what)}<small>${when}</small></td>${cell(i.expected)}${cell(i.actual)}
      <td class="bar">${bar(i.impact / most)}</td><td class="n">${signed(i.impact, 3)}</td></tr>`;
  });
  const line = (kind, said, sum) => `<tr class="${kind}"><td>${said}</td><td class="few"></td><td class="few"></td><td class="bar"></td><td class="n">${signed(sum, 3)}</td></tr>`;
  if (rest.length) rows.push(line("rest", say("smaller")(rest.length), rest.reduce((total, i) => total + i.impact, 0)));
  rows.push(line("end", say("sum"), news.change));
  return `<p class="soft moved">${news.period}: ${say("moved")(news.before.asof, news.after.asof, strong(news.before.mean), strong(news.after.mean))}</p>
    <table class="news"><thead><tr><th>${say("series")}</th><th class="n few">${say("expected")}</th><th class="n few">${say("actual")}</th>
    <th class="bar"></th><th class="n">${say("impact")}</th></tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

function origin({ say, data: { answer, news, period } }) {
  const facts = [["model", answer.model], ["version", answer.version], ["run", answer.run_id], ["known", answer.asof],
    ["learned", answer.fitted_asof], ["timing", say(answer.timing)], ["panel", answer.panel.slice(0, 16)]];
  const calls = [url(answer.target, { asof: answer.asof })];
  calls.push(url(answer.target, { asof: answer.asof, period }, "/coming"));
  if (news) calls.push(url(answer.target, { from: news.before.asof, to: news.after.asof, period: news.period }, "/news"));
  return `<footer><dl>${facts.map(([k, v]) => `<div><dt>${say(k)}</dt> <dd>${escaped(v)}</dd></div>`).join("")}</dl>
    <div>${say("same")} ${calls.map((c) => `<a href="${escaped(c)}">GET /${escaped(decodeURIComponent(c))}</a>`).join(" ")}</div></footer>`;
}
