// Indices of what firms answered: each through time for one cell, then the newest period by region, industry and size.

import { get } from "../api.js";
import { intervals } from "../charts/bars.js";
import { course } from "../charts/course.js";
import { escaped, shown, table } from "../html.js";
import { called, choice, heading, origin, Told } from "../readings.js";

const WORDS = {
  en: {
    monitors: "Monitors", cells: "The newest period", regions: "Regions", industry: "Industries", size: "Sizes of firms", firms: "firms",
    bar: "Bar: 80 % band, from resampling firms. Cells with fewer than ten firms are not shown.", which: "Index",
  },
  zh: {
    monitors: "企业监测", cells: "最新一期", regions: "地区", industry: "行业", size: "企业规模", firms: "企业数",
    bar: "横线：80% 区间（企业重抽样）。样本不足 10 家的不显示。", which: "指数",
  },
};

export default {
  name: "monitors",
  kind: "monitor",
  route: "/v1/monitors/{id}",
  words: WORDS,

  async load({ target, asof }) {
    const told = new Told(await get(called("monitors/{id}", target, { asof })));
    return { told, synthetic: told.synthetic };
  },

  draw(page) {
    const { say, choice: chosen, data: { told } } = page;
    const unit = told.units.includes(chosen.unit) ? chosen.unit : told.units[0];
    const names = told.names(unit, "index");
    const name = names.includes(chosen.index) ? chosen.index : names[0];
    const lines = names.map((n) => `<h3>${escaped(told.called(page, n))}</h3>${course({ ...page, width: page.width }, told.course(unit, n), told.called(page, n))}`);
    const { target, asof } = told.answer;
    const options = names.map((n) => `<option value="${escaped(n)}"${n === name ? " selected" : ""}>${escaped(told.called(page, n))}</option>`);
    return `<section>${heading(page, told.answer)}${choice(page, told, told.units, unit)}${lines[0] ?? ""}
        ${origin(page, told.answer, [called("monitors/{id}", target, { asof })])}</section>
      ${lines.length > 1 ? `<section>${lines.slice(1).join("")}</section>` : ""}
      <section><h3>${say("cells")}, ${told.periods.at(-1)}</h3><p class="soft">${say("bar")}</p>
        <label class="choice"><span>${say("which")}</span><select data-choose="index">${options.join("")}</select></label>${cells(page, told, name)}</section>`;
  },
};

function cells(page, told, name) {
  const { say } = page;
  const period = told.periods.at(-1);
  const groups = [["", "regions"], ["industry", "industry"], ["size", "size"]];
  return groups.map(([group, title]) => {
    const units = told.units.filter((u) => (u.includes(":") ? u.split(":")[0] : "") === group && told.at(u, name, "index", period) !== undefined);
    if (!units.length) return "";
    const rows = units.map((u) => ({
      name: told.called(page, u), value: told.at(u, name, "index", period), low: told.at(u, name, "q100", period), high: told.at(u, name, "q900", period),
      more: [`${say("firms")}: ${told.at(u, name, "firms", period) ?? "–"}`], firms: told.at(u, name, "firms", period),
    }));
    const body = rows.map((r) => [escaped(r.name), shown(r.value), shown(r.low), shown(r.high), shown(r.firms, 0)]);
    return `<h3>${say(title)}</h3>${intervals(page, rows, say(title))}${table(say, [say(title), say("index"), `80 %, ${say("from")}`, say("to"), say("firms")], body)}`;
  }).join("");
}
