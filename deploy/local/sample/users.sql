-- The users of a small software company, as its application writes them.
CREATE TABLE public.users (
    id            text PRIMARY KEY,
    email         text        NOT NULL,
    name          text        NOT NULL,
    plan          text        NOT NULL DEFAULT 'free', -- free, trial, starter, pro, enterprise
    country       text        NOT NULL,                -- ISO 3166-1 alpha-2
    signed_up_at  timestamptz NOT NULL DEFAULT now(),
    trial_ends_at timestamptz,
    last_seen_at  timestamptz,
    card_on_file  boolean     NOT NULL DEFAULT false,
    mrr           numeric(10, 2) NOT NULL DEFAULT 0,   -- monthly recurring revenue, in euros
    seats         integer     NOT NULL DEFAULT 1,
    tags          text[]      NOT NULL DEFAULT '{}',
    properties    jsonb       NOT NULL DEFAULT '{}',   -- whatever the application adds: company, onboarding, source
    created_at    timestamptz NOT NULL DEFAULT now(),
    updated_at    timestamptz NOT NULL DEFAULT now()
);
