-- What is said of a place that is made up (its code begins with SYN-) is marked in every view, as the last column.

CREATE OR REPLACE VIEW api_v1.observations AS
SELECT o.period::timestamp AT TIME ZONE 'UTC' AS "time", s.code AS metric, o.value, o.status, o.known_at,
       s.code LIKE '%@SYN-%' AS is_synthetic
FROM fs.obs o JOIN fs.series s USING (series_id)
WHERE o.superseded_at = '9999-12-31 00:00+00' AND o.value IS NOT NULL;

CREATE OR REPLACE VIEW api_v1.scores AS
SELECT r.asof AS "time", r.target || ' ' || c.period || ' ' || q.name AS metric, q.value,
       r.target, c.period, c.phase, q.name AS quantile, r.model, r.version, r.run_id, r.timing, r.fitted_asof, r.published_at,
       r.target LIKE '%@SYN-%' AS is_synthetic
FROM fs.score_run r JOIN fs.score c USING (score_run_id)
CROSS JOIN LATERAL (VALUES ('mean', c.mean), ('q025', c.q025), ('q100', c.q100), ('q250', c.q250), ('q500', c.q500),
                           ('q750', c.q750), ('q900', c.q900), ('q975', c.q975)) AS q (name, value);

CREATE OR REPLACE VIEW api_v1.news AS
SELECT r.asof AS "time", coalesce(n.series, n.kind) AS metric, n.impact AS value, r.target, n.target_period, n.since, n.kind, n.period,
       n.known_at, n.expected, n.actual, n.news, n.weight, r.model, r.version, r.run_id, r.target LIKE '%@SYN-%' AS is_synthetic
FROM fs.news n JOIN fs.score_run r USING (score_run_id);

CREATE OR REPLACE VIEW api_v1.releases AS
SELECT known_at AS "time", source || ' ' || code AS metric, (n_new + n_revised)::float8 AS value,
       source, code, precision, recorded_at, n_rows, n_new, n_revised, uri, uri LIKE 'synthetic:%' AS is_synthetic
FROM fs.release;
