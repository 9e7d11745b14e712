-- What others may read, for instance Grafana's PostgreSQL source: time, metric, value. Tables may change; these stay.

CREATE SCHEMA IF NOT EXISTS api_v1;

CREATE VIEW api_v1.observations AS   -- the newest version of every value
SELECT o.period::timestamp AT TIME ZONE 'UTC' AS "time", s.code AS metric, o.value, o.status, o.known_at
FROM fs.obs o JOIN fs.series s USING (series_id)
WHERE o.superseded_at = '9999-12-31 00:00+00' AND o.value IS NOT NULL;

CREATE VIEW api_v1.scores AS         -- how each score moved: time is the information date
SELECT r.asof AS "time", r.target || ' ' || c.period || ' ' || q.name AS metric, q.value,
       r.target, c.period, c.phase, q.name AS quantile, r.model, r.version, r.run_id, r.timing, r.fitted_asof, r.published_at
FROM fs.score_run r JOIN fs.score c USING (score_run_id)
CROSS JOIN LATERAL (VALUES ('mean', c.mean), ('q025', c.q025), ('q100', c.q100), ('q250', c.q250), ('q500', c.q500),
                           ('q750', c.q750), ('q900', c.q900), ('q975', c.q975)) AS q (name, value);

CREATE VIEW api_v1.news AS           -- what each release added to a score
SELECT r.asof AS "time", coalesce(n.series, n.kind) AS metric, n.impact AS value, r.target, n.target_period, n.since, n.kind, n.period,
       n.known_at, n.expected, n.actual, n.news, n.weight, r.model, r.version, r.run_id
FROM fs.news n JOIN fs.score_run r USING (score_run_id);

CREATE VIEW api_v1.releases AS
SELECT known_at AS "time", source || ' ' || code AS metric, (n_new + n_revised)::float8 AS value,
       source, code, precision, recorded_at, n_rows, n_new, n_revised, uri
FROM fs.release;
