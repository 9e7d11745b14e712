-- What was accepted in spite of a doubt (featurestore/review.py): who, when, why, and of which release. Written before the release.

CREATE TABLE fs.override (
    override_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    finding     text COLLATE "C" NOT NULL,                          -- rule:indicator@region:period
    value       float8 NOT NULL,
    expected    float8 NOT NULL,
    says        text NOT NULL,
    because     text NOT NULL CHECK (because <> ''),
    accepted_by text NOT NULL CHECK (accepted_by <> ''),
    accepted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    source      text COLLATE "C" NOT NULL,                          -- these four name the release, as in fs.release
    code        text COLLATE "C" NOT NULL,
    known_at    timestamptz NOT NULL,
    content     bytea NOT NULL,
    UNIQUE (finding, source, code, known_at, content)
);
