-- Who serves the request under a key: a claim that was taken over must not be finished by the one it was taken from.
ALTER TABLE replies ADD COLUMN claim text NOT NULL DEFAULT '';
