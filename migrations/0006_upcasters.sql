-- Upcasters at work, and those that each build goes through. See docs/ARCHITECTURE.md, "Builds".

CREATE TABLE gnomon.upcasters (
    name text COLLATE "C" PRIMARY KEY REFERENCES gnomon.modules (name),
    active_version integer NOT NULL,
    FOREIGN KEY (name, active_version) REFERENCES gnomon.module_versions (module, version)
);

-- Names and versions, by name, as they were active when the build was begun: `[{"name": "…", "version": 1}]`.
ALTER TABLE gnomon.builds ADD COLUMN upcasters jsonb NOT NULL DEFAULT '[]';
