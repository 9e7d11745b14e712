-- Every value ever released. Append only: a value is never changed, only followed by another.
-- The same on PostgreSQL 15 to 18; TimescaleDB adds what featurestore/timescale.py says.
-- Hot tables keep to int4, date, timestamptz, float8 and text, which every client reads; "for ever" is the year 9999, because
-- many of them cannot read an infinite timestamp.

CREATE TABLE fs.release (            -- one publication (a vintage), as one file or one answer brought it
    release_id  int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source      text COLLATE "C" NOT NULL,
    code        text COLLATE "C" NOT NULL,
    known_at    timestamptz NOT NULL,                               -- when the public could know
    precision   text NOT NULL CHECK (precision IN ('instant', 'day', 'month', 'assumed')),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),     -- stamped here, never by a client
    content     bytea NOT NULL,                                     -- sha256 of what came
    uri         text NOT NULL,
    n_rows      int NOT NULL,
    n_new       int,
    n_revised   int,
    loaded_by   text NOT NULL DEFAULT session_user,
    UNIQUE (source, code, known_at, content)                        -- the same again changes nothing
);

CREATE TABLE fs.series (
    series_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code      text COLLATE "C" UNIQUE NOT NULL,                     -- indicator@region
    freq      text NOT NULL CHECK (freq IN ('A', 'Q', 'M', 'W', 'D'))
);

CREATE TABLE fs.meaning (            -- what a series means; a changed unit or step is one more row
    series_id   int NOT NULL REFERENCES fs.series,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    meaning     jsonb NOT NULL,
    PRIMARY KEY (series_id, recorded_at)
);

CREATE TABLE fs.obs (                -- only changes: a release that repeats a value adds no row here
    known_at      timestamptz NOT NULL,
    superseded_at timestamptz NOT NULL DEFAULT '9999-12-31 00:00+00',
    value         float8,
    series_id     int NOT NULL REFERENCES fs.series,
    period        date NOT NULL,                                    -- first day of the period
    release_id    int NOT NULL REFERENCES fs.release,
    status        text NOT NULL,                                    -- SDMX CL_OBS_STATUS; M with no value: taken back
    PRIMARY KEY (series_id, period, known_at, release_id),
    CHECK (known_at <= superseded_at),                              -- equal: repeated or replaced within its own instant
    CHECK (value IS NULL OR value NOT IN ('NaN', 'Infinity', '-Infinity')),
    CHECK ((value IS NULL) = (status IN ('M', 'O', 'L', 'Q', 'H')))
);
CREATE INDEX obs_current ON fs.obs (series_id, period) INCLUDE (value) WHERE superseded_at = '9999-12-31 00:00+00';
CREATE INDEX obs_release ON fs.obs (release_id);

CREATE TABLE fs.coverage (           -- which periods a release spoke of, as runs: with obs, every release can be given back
    series_id    int NOT NULL REFERENCES fs.series,
    release_id   int NOT NULL REFERENCES fs.release,
    first_period date NOT NULL,
    last_period  date NOT NULL,
    PRIMARY KEY (series_id, release_id, first_period)
);

CREATE TABLE fs.score_run (          -- where published scores come from
    score_run_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run_id       text NOT NULL,
    target       text COLLATE "C" NOT NULL,
    model        text NOT NULL,
    version      text NOT NULL,
    asof         timestamptz NOT NULL,
    fitted_asof  timestamptz NOT NULL,
    timing       text NOT NULL CHECK (timing IN ('real', 'pseudo')),
    panel        text NOT NULL,
    published_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (target, asof, run_id, version, panel)
);

CREATE TABLE fs.score (
    score_run_id int NOT NULL REFERENCES fs.score_run,
    period       text NOT NULL,
    phase        text NOT NULL,
    mean         float8 NOT NULL,
    q025 float8 NOT NULL, q100 float8 NOT NULL, q250 float8 NOT NULL, q500 float8 NOT NULL,
    q750 float8 NOT NULL, q900 float8 NOT NULL, q975 float8 NOT NULL,
    PRIMARY KEY (score_run_id, period)
);

CREATE TABLE fs.news (               -- why a score moved since an earlier information date
    score_run_id  int NOT NULL REFERENCES fs.score_run,
    since         timestamptz NOT NULL,
    target_period text NOT NULL,
    kind          text NOT NULL,
    series        text,              -- null for what new parameters add
    period        text,
    known_at      timestamptz,
    expected float8, actual float8, news float8, weight float8, impact float8 NOT NULL
);
CREATE INDEX news_run ON fs.news (score_run_id);
