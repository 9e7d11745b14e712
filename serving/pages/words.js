// What every section says, in both languages. A section brings the words of its own.

export const WORDS = {
  en: {
    target: "What", asof: "As of the end of", known: "as of", key: "API key", ask: "Show", other: "简体中文", sections: "Sections",
    newest: "Without a day: the newest that is known.", loading: "Asking the service …",
    synthetic: "Synthetic data: a made-up place. Nothing here is an official figure.", mark: "SYNTHETIC DATA",
    nobody: (kind) => `No champion of this kind yet (${kind}): jingqi experiment run SPEC, then jingqi experiment promote RUN.`,
    unavailable: (route) => `This service does not offer ${route}.`,
    model: "Model", version: "version", run: "run", learned: "learned as of", timing: "timing", panel: "panel", same: "The same numbers:",
    real: "real time: days and values as they were", pseudo: "pseudo real time: one vintage, cut by usual publication delays",
    band: (p) => `${p} % band`, table: "Numbers", period: "period", index: "index", from: "from", to: "to", region: "Region",
    peak: "peak", trough: "trough", confirmed: "confirmed", candidate: "candidate", turn: "turn",
    expansion: "expansion", downturn: "downturn", contraction: "contraction", recovery: "recovery",
    level: "level", change: "change over six months", across: "change over six months, σ →", up: "↑ level, σ from its line",
    adds: (period) => `What adds up to it, ${period}`, component: "component", value: "adds", base: "base", trend: "trend",
    shaded: "peak to trough", ahead: "dashed: forecast", state: "status", whole: "whole",
  },
  zh: {
    target: "对象", asof: "截至该日终", known: "截至", key: "API 密钥", ask: "查询", other: "English", sections: "栏目",
    newest: "不填日期：最新已知数据。", loading: "正在查询……",
    synthetic: "合成数据：虚构地区，并非官方统计。", mark: "合成数据 · 非官方统计",
    nobody: (kind) => `尚无此类（${kind}）的现任模型：先运行 jingqi experiment run SPEC，再运行 jingqi experiment promote RUN。`,
    unavailable: (route) => `本服务未提供 ${route}。`,
    model: "模型", version: "版本", run: "运行", learned: "参数学习截至", timing: "时效", panel: "数据面板", same: "同样的数字：",
    real: "实时：日期与数值均为当时所见", pseudo: "伪实时：同一版本数据，按通常发布时滞截取",
    band: (p) => `${p}% 区间`, table: "数据表", period: "时期", index: "指数", from: "下限", to: "上限", region: "地区",
    peak: "峰", trough: "谷", confirmed: "已确认", candidate: "待确认", turn: "拐点",
    expansion: "扩张", downturn: "回落", contraction: "收缩", recovery: "复苏",
    level: "水平", change: "六个月变动", across: "六个月变动（标准差）→", up: "↑ 水平（偏离趋势线的标准差）",
    adds: (period) => `构成（${period}）`, component: "组成", value: "贡献", base: "基数", trend: "趋势",
    shaded: "峰至谷", ahead: "虚线：预测", state: "状态", whole: "综合",
  },
};
