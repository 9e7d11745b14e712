// Five lights by region and by item, with the index under them; of a champion without lights, the probability of a downturn.

import { get } from "../api.js";
import { course } from "../charts/course.js";
import { lamp, lamps, legend } from "../charts/lamps.js";
import { called, choice, heading, origin, Told } from "../readings.js";
import { added } from "./indices.js";

const WORDS = {
  en: {
    lights: "Lights", regions: "Lights by region", items: "Lights by item", score: "score", chance: "Chance of a downturn, %",
    lights_of: ["blue: too cold", "light blue: cooling", "green: steady", "yellow: warming", "red: too hot"],
    marks: ["", "carried", "missing, re-weighted", "January and February as one", "estimated"],
    pale: "pale: carried or estimated, not the month's own figure", newest_of: (n, all) => `The newest ${n} of ${all} months; all are in the table.`,
  },
  zh: {
    lights: "预警灯号", regions: "各地区灯号", items: "各指标灯号", score: "得分", chance: "下行概率（%）",
    lights_of: ["蓝灯：过冷", "浅蓝灯：趋冷", "绿灯：稳定", "黄灯：趋热", "红灯：过热"],
    marks: ["", "沿用上期", "缺失，其余项重新加权", "1—2月合并", "估算值"],
    pale: "浅色：沿用或估算，非当月实际数据", newest_of: (n, all) => `图中为最近 ${n} 个月（共 ${all} 个月），其余见数据表。`,
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

  draw(page) {
    const { say, choice: chosen, data: { told } } = page;
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
    return `<section>${heading(page, told.answer)}${legend(say)}
        ${told.units.length > 1 ? `<h3>${say("regions")}</h3>${lamps(page, whole, periods, say("regions"))}` : ""}${foot}</section>
      <section>${choice(page, told, told.units, unit)}<h3>${say("items")}</h3>${lamps(page, items, periods, say("items"))}
        <h3>${say("index")}</h3>${course(page, told.course(unit), say("index"), { lit })}</section>${added(page, told, unit)}`;
  },
};

function row(told, periods, unit, item, name) {
  const of = (level) => new Map(periods.flatMap((p) => (told.at(unit, item, level, p) === undefined ? [] : [[p, told.at(unit, item, level, p)]])));
  return { name, lights: of("light"), scores: of("score"), marks: of("mark"), index: of("index") };
}
