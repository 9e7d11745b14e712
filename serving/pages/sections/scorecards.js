// Scorecards: places with their intervals, then the nodes and contributions of one unit.

import { get, orReason } from "../api.js";
import { bars, intervals } from "../charts/bars.js";
import { escaped, number, shown, table } from "../html.js";
import { called, choice, heading, origin, Told } from "../readings.js";
import { unitPage } from "../unit.js";
import { added } from "./indices.js";

const WORDS = {
  en: {
    scorecards: "Scorecards", places: "Places", bar: "Place; bar: 90 % of the places over all choices drawn.", place: "place", unit: "unit",
    best: "from", worst: "to", score: "score", nodes: "Scores of the nodes", of_units: (n, all) => `${n} of ${all}`,
    opens: "A click on a unit, or Enter, opens its page.", close: "Close", strengths: "Strengths", weaknesses: "Weaknesses", peers: "Most alike", lifts: "What alone would gain a place",
    indicator: "indicator", worth: "value", gap: "adds, less the mean of others", needed: "needed", places_gained: "places at best", distance: "distance", none_lifts: "No indicator alone would.",
    marks: "Not simply as reported", goals: (year) => `Goals of ${year}`, goal: "goal", outlook: "nowcast", probability: "probability", all_met: "all of them met",
  },
  zh: {
    scorecards: "评价", places: "位次", bar: "位次；横线：各种方法选择下 90% 的位次。", place: "位次", unit: "单位",
    best: "最高", worst: "最低", score: "得分", nodes: "各级指标得分", of_units: (n, all) => `第 ${n} / ${all}`,
    opens: "点击单位或按回车键，可打开其页面。", close: "关闭", strengths: "优势", weaknesses: "短板", peers: "最相近单位", lifts: "单项改进可提升位次",
    indicator: "指标", worth: "数值", gap: "得分贡献与其他单位均值之差", needed: "所需数值", places_gained: "最多提升位次", distance: "距离", none_lifts: "单项改进均不足以提升位次。",
    marks: "非直接上报的数值", goals: (year) => `${year} 年目标`, goal: "目标", outlook: "现时预测", probability: "完成概率", all_met: "全部完成",
  },
};

export default {
  name: "scorecards",
  kind: "scorecard",
  route: "/v1/scorecards/{id}",
  words: WORDS,

  async load({ target, asof }) {
    const told = new Told(await get(called("scorecards/{id}", target, { asof })));
    return { told, synthetic: told.synthetic };
  },

  async later({ target, choice: { open }, data: { told } }) {
    if (!open) return null;
    const query = { asof: told.answer.asof, period: told.periods.at(-1) };
    return { opened: await orReason(get(called("scorecards/{id}/units/{region}", target, query).replace("{region}", encodeURIComponent(open)))) };
  },

  draw(page) {
    const { say, choice: chosen, data: { told, opened } } = page;
    const period = told.periods.at(-1);
    const at = (u, level, name = "") => told.at(u, name, level, period);
    const ranked = told.units.filter((u) => at(u, "rank") !== undefined).sort((a, b) => at(a, "rank") - at(b, "rank"));
    const unit = told.units.includes(chosen.unit) ? chosen.unit : ranked[0];
    const nodes = told.names(ranked[0], "node");
    const rows = ranked.map((u) => ({
      name: `${number(at(u, "rank"), 0)}  ${told.called(page, u)}`, value: at(u, "rank"), low: at(u, "rank_low"), high: at(u, "rank_high"),
      more: [`${say("score")}: ${number(at(u, "score"))}`], open: u,
    }));
    const board = ranked.map((u) => [escaped(told.called(page, u)), shown(at(u, "rank"), 0), shown(at(u, "rank_low"), 0), shown(at(u, "rank_high"), 0),
      shown(at(u, "score")), ...nodes.map((n) => shown(at(u, "node", n)))]);
    const own = nodes.filter((n) => at(unit, "node", n) !== undefined).map((n) => {
      const better = ranked.filter((u) => at(u, "node", n) > at(unit, "node", n)).length;
      return { name: told.called(page, n), value: at(unit, "node", n), more: [`${say("place")}: ${say("of_units")(better + 1, ranked.length)}`] };
    });
    const { target, asof } = told.answer;
    return `<section>${heading(page, told.answer)}<h3>${say("places")}, ${period}</h3><p class="soft">${say("bar")} ${say("opens")}</p>${intervals(page, rows, say("places"), 0)}
        ${table(say, [say("unit"), say("place"), say("best"), say("worst"), say("score"), ...nodes.map((n) => told.called(page, n))], board)}
        ${origin(page, told.answer, [called("scorecards/{id}", target, { asof })])}</section>${chosen.open ? unitPage(page, chosen.open, opened) : ""}
      <section>${choice(page, told, ranked, unit)}<h3>${say("nodes")}</h3>${bars(page, own, say("nodes"), 1)}</section>${added(page, told, unit)}`;
  },
};
