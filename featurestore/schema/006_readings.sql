-- What models say about many units and in many parts (engine/reading.py): indices, lights, boards, monitors.

CREATE TABLE fs.reading (
    score_run_id int NOT NULL REFERENCES fs.score_run,
    unit   text COLLATE "C" NOT NULL,
    period text NOT NULL,
    level  text NOT NULL,
    name   text NOT NULL,
    value  float8 NOT NULL CHECK (value NOT IN ('NaN', 'Infinity', '-Infinity')),
    PRIMARY KEY (score_run_id, level, unit, period, name)
);

CREATE VIEW api_v1.readings AS       -- how each of them moved: time is the information date
SELECT r.asof AS "time", concat_ws(' ', r.target, g.unit, g.period, g.level, nullif(g.name, '')) AS metric, g.value,
       r.target, g.unit, g.period, g.level, g.name, g.unit LIKE 'SYN-%' AS is_synthetic,
       r.model, r.version, r.run_id, r.timing, r.fitted_asof, r.published_at
FROM fs.reading g JOIN fs.score_run r USING (score_run_id);
