-- What firms answered, wave after wave (featurestore/answers.py). Append only: a wave said again later replaces it from then on.
-- Answers of single firms are confidential: no view of api_v1 shows them.

CREATE TABLE fs.firm (               -- a firm as it was described; another weight or industry is one more row
    firm_id      int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    firm         text COLLATE "C" NOT NULL,
    industry     text NOT NULL,
    city         text COLLATE "C" NOT NULL,
    size         text NOT NULL,
    weight       float8 NOT NULL CHECK (weight > 0 AND weight < 'Infinity'),
    is_synthetic boolean NOT NULL,
    UNIQUE (firm, industry, city, size, weight, is_synthetic)
);

CREATE TABLE fs.question (
    question_id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    question    text COLLATE "C" NOT NULL,
    scale       text NOT NULL CHECK (scale IN ('three', 'five', 'percent')),
    UNIQUE (question, scale)
);

CREATE TABLE fs.wave (
    wave_id     int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source      text COLLATE "C" NOT NULL,
    freq        text NOT NULL CHECK (freq IN ('A', 'Q', 'M', 'W', 'D')),
    period      date NOT NULL,                                      -- first day of the period asked about
    known_at    timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    content     bytea NOT NULL,                                     -- sha256 of who answered what
    n_rows      int NOT NULL,
    UNIQUE (source, freq, period, known_at, content)
);

CREATE TABLE fs.answer (             -- one question in one wave: who answered, and what, place by place
    wave_id     int NOT NULL REFERENCES fs.wave,
    question_id int NOT NULL REFERENCES fs.question,
    firms       int[] NOT NULL,                                     -- of fs.firm
    answers     smallint[] NOT NULL,
    PRIMARY KEY (wave_id, question_id),
    CHECK (cardinality(firms) = cardinality(answers))
);

CREATE VIEW fs.answered AS           -- a row an answer, for those who may read them
SELECT w.source, w.freq, w.period, w.known_at, q.question, q.scale, f.firm, f.industry, f.city, f.size, f.weight, f.is_synthetic,
       x.answer
FROM fs.answer a JOIN fs.wave w USING (wave_id) JOIN fs.question q USING (question_id)
CROSS JOIN LATERAL unnest(a.firms, a.answers) AS x (firm_id, answer) JOIN fs.firm f USING (firm_id);
