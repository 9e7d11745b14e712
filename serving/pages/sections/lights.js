// Five lights by region and by item, with the index under them; of a champion without lights, the probability of a downturn.

import { get, orReason } from "../api.js";
import { course } from "../charts/course.js";
import { lamp, lamps, legend } from "../charts/lamps.js";
import { called, choice, heading, origin, Told } from "../readings.js";
import { proof } from "../proof.js";
import { added } from "./indices.js";

const WORDS = {
  en: {
    lights: "Lights", regions: "Lights by region", items: "Lights by item", score: "score", chance: "Chance of a downturn, %",
    lights_of: ["blue: too cold", "light blue: cooling", "green: steady", "yellow: warming", "red: too hot"],
    marks: ["", "carried", "missing, re-weighted", "January and February as one", "estimated"],
    pale: "pale: carried or estimated, not the month's own figure", newest_of: (n, all) => `The newest ${n} of ${all} months; all are in the table.`,
    opens: "A click on a light, or Enter, opens its proof.", proof: "Proof", close: "Close", item: "Item", worth: "value", cuts: "thresholds", above: "hotter above", below: "hotter below",
    weight: "weight", points: "adds", needed: "flips at", flips: "to", never: "no value of it alone", bounds: "Bounds between the lights", in_force: "Thresholds in force",
    waits: (lamp) => `The index lies in the band of ${lamp}; a change of light waits to be confirmed.`, earlier: "The same light under rules before", first_known: "First known, and now",
    then: "then", now: "now", month: "month", day: "first known",
  },
  zh: {
    lights: "预警灯号", regions: "各地区灯号", items: "各指标灯号", score: "得分", chance: "下行概率（%）",
    lights_of: ["蓝灯：过冷", "浅蓝灯：趋冷", "绿灯：稳定", "黄灯：趋热", "红灯：过热"],
    marks: ["", "沿用上期", "缺失，其余项重新加权", "1—2月合并", "估算值"],
    pale: "浅色：沿用或估算，非当月实际数据", newest_of: (n, all) => `图中为最近 ${n} 个月（共 ${all} 个月），其余见数据表。`,
    opens: "点击灯号或按回车键，可查看其依据。", proof: "依据", close: "关闭", item: "指标", worth: "数值", cuts: "阈值", above: "高于则偏热", below: "低于则偏热",
    weight: "权重", points: "贡献", needed: "变灯临界值", flips: "变为", never: "单项变动不足以变灯", bounds: "灯号分界", in_force: "现行阈值",
    waits: (lamp) => `指数处于${lamp}区间，灯号变化尚待确认。`, earlier: "此前规则下的同一灯号", first_known: "首次公布与现在",
    then: "当时", now: "现在", month: "月份", day: "首次可知",
  },
};

export default {
  name: "lights",
  kind: "warning",
  route: "/v1/warnings/{id}",
  first: "warning",
  words: WORDS,

  async load({ target, asof }) {
    const told = new Told(await get(called("warnings/{id}", target, { asof })));
    return { told, synthetic: told.synthetic };
  },

  async later({ target, choice: { open }, data: { told } }) {
    if (!open || !told.has("light")) return null;
    const [region, period] = open.split(" ");
    return { opened: await orReason(get(called("warnings/{id}/proof", target, { asof: told.answer.asof, region, period }))) };
  },

  draw(page) {
    const { say, choice: chosen, data: { told, opened } } = page;
    const unit = told.units.includes(chosen.unit) ? chosen.unit : told.units[0];
    const { target, asof } = told.answer;
    const foot = origin(page, told.answer, [called("warnings/{id}", target, { asof })]);
    if (!told.has("light")) {
      const line = course(page, told.course(unit), say("chance"), { scale: 100, bounds: [0, 1] });
      return `<section>${heading(page, told.answer)}${choice(page, told, told.units, unit)}<h3>${say("chance")}</h3>${line}${foot}</section>${added(page, told, unit)}`;
    }
    const periods = told.periods.filter((p) => told.units.some((u) => told.at(u, "", "light", p) !== undefined));
    const whole = told.units.map((u) => row(told, periods, u, "", told.called(page, u)));
    const names = [...new Set([...told.names(unit, "light"), ...told.names(unit, "mark")])];
    const items = names.map((n) => row(told, periods, unit, n, n ? told.called(page, n) : say("whole")));
    const lit = new Map(periods.flatMap((p) => (told.at(unit, "", "light", p) ? [[p, lamp(say, told.at(unit, "", "light", p))]] : [])));
    return `<section>${heading(page, told.answer)}${legend(say)}<p class="soft">${say("opens")}</p>
        ${told.units.length > 1 ? `<h3>${say("regions")}</h3>${lamps(page, whole, periods, say("regions"))}` : ""}${foot}</section>${chosen.open ? proof(page, chosen.open, opened) : ""}
      <section>${choice(page, told, told.units, unit)}<h3>${say("items")}</h3>${lamps(page, items, periods, say("items"))}
        <h3>${say("index")}</h3>${course(page, told.course(unit), say("index"), { lit })}</section>${added(page, told, unit)}`;
  },
};

function row(told, periods, unit, item, name) {
  const of = (level) => new Map(periods.flatMap((p) => (told.at(unit, item, level, p) === undefined ? [] : [[p, told.at(unit, item, level, p)]])));
  return { name, unit, lights: of("light"), scores: of("score"), marks: of("mark"), index: of("index") };
}
