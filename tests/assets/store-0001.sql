BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE drafts (
	id VARCHAR(64) NOT NULL, 
	experiment TEXT NOT NULL, 
	saved FLOAT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "drafts" VALUES('QpkRDhJrCZ4qI4tGQfUnyA','{"data":{"kind":"moons","noise":0.1,"samples":500,"scaling":"none","stratify":true,"test_fraction":0.2,"validate_on":"validation","validation_fraction":0.2},"model":{"layers":[],"output":{"activation":null,"kernel_initializer":"glorot_uniform","units":null}},"name":"","schema_version":1,"seed":0,"training":{"batch_size":32,"epochs":10,"execution":"auto","loss":{"kind":"binary_crossentropy","label_smoothing":0.0},"metrics":[],"optimizer":{"amsgrad":false,"beta_1":0.9,"beta_2":0.999,"epsilon":1e-07,"kind":"Adam","learning_rate":0.001},"shuffle":true,"stop_at_loss":null}}',1.79536360643878173826e+09);
CREATE TABLE files (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	run VARCHAR(64) NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	file VARCHAR(128) NOT NULL, 
	sha256 VARCHAR(64) NOT NULL, 
	FOREIGN KEY(run) REFERENCES runs (id) ON DELETE CASCADE
);
CREATE TABLE live (
	run VARCHAR(64) NOT NULL, 
	name VARCHAR(64) NOT NULL, 
	step INTEGER NOT NULL, 
	payload BLOB NOT NULL, 
	PRIMARY KEY (run, name), 
	FOREIGN KEY(run) REFERENCES runs (id) ON DELETE CASCADE
);
INSERT INTO "live" VALUES('94d47683f980eb536c98a6d92bbc32e2','surface',32,X'0001');
CREATE TABLE plans (
	"key" VARCHAR(255) NOT NULL, 
	"plan" TEXT NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "plans" VALUES('k','[[0, "plain"]]');
CREATE TABLE points (
	run VARCHAR(64) NOT NULL, 
	number INTEGER NOT NULL, 
	step INTEGER NOT NULL, 
	epoch FLOAT NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	"values" TEXT NOT NULL, 
	PRIMARY KEY (run, number), 
	FOREIGN KEY(run) REFERENCES runs (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "points" VALUES('94d47683f980eb536c98a6d92bbc32e2',1,16,0.5,'chunk','{"loss": NaN}');
INSERT INTO "points" VALUES('94d47683f980eb536c98a6d92bbc32e2',2,32,1.0,'epoch','{"loss": 0.25}');
CREATE TABLE runs (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id VARCHAR(64) NOT NULL, 
	experiment TEXT NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	created FLOAT NOT NULL, 
	owner VARCHAR(255) NOT NULL, 
	draft VARCHAR(64) NOT NULL, 
	started FLOAT, 
	ended FLOAT, 
	progress TEXT NOT NULL, 
	message TEXT NOT NULL, 
	"plan" TEXT NOT NULL, 
	scores TEXT NOT NULL, 
	facts TEXT NOT NULL, 
	attempt INTEGER NOT NULL, 
	stop BOOLEAN NOT NULL, 
	pause BOOLEAN NOT NULL, 
	small BOOLEAN NOT NULL, 
	ahead BOOLEAN NOT NULL, 
	lease VARCHAR(64) NOT NULL, 
	holder VARCHAR(255) NOT NULL, 
	beat INTEGER NOT NULL, 
	points INTEGER NOT NULL, 
	UNIQUE (id)
);
INSERT INTO "runs" VALUES(1,'94d47683f980eb536c98a6d92bbc32e2','{"data":{"kind":"moons","noise":0.1,"samples":500,"scaling":"none","stratify":true,"test_fraction":0.2,"validate_on":"validation","validation_fraction":0.2},"model":{"layers":[],"output":{"activation":null,"kernel_initializer":"glorot_uniform","units":null}},"name":"An old run","schema_version":1,"seed":0,"training":{"batch_size":32,"epochs":10,"execution":"auto","loss":{"kind":"binary_crossentropy","label_smoothing":0.0},"metrics":[],"optimizer":{"amsgrad":false,"beta_1":0.9,"beta_2":0.999,"epsilon":1e-07,"kind":"Adam","learning_rate":0.001},"shuffle":true,"stop_at_loss":null}}','done',1.79536360641770720474e+09,'ada','',1.79536360642965626714e+09,1.79536360643679118159e+09,'{"step": 32, "total_steps": 32, "epoch": 1.0, "examples_per_second": 0.0, "seconds_left": null, "phase": ""}','','[[0, "plain"]]','{"loss": 0.25}','{"device": "CPU"}',1,0,0,1,0,'','',2,2);
CREATE TABLE shared (
	id VARCHAR(64) NOT NULL, 
	experiment TEXT NOT NULL, 
	created FLOAT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "shared" VALUES('d1b8750d49a994af3a9b','{"data":{"kind":"moons","noise":0.1,"samples":500,"scaling":"none","stratify":true,"test_fraction":0.2,"validate_on":"validation","validation_fraction":0.2},"model":{"layers":[],"output":{"activation":null,"kernel_initializer":"glorot_uniform","units":null}},"name":"","schema_version":1,"seed":0,"training":{"batch_size":32,"epochs":10,"execution":"auto","loss":{"kind":"binary_crossentropy","label_smoothing":0.0},"metrics":[],"optimizer":{"amsgrad":false,"beta_1":0.9,"beta_2":0.999,"epsilon":1e-07,"kind":"Adam","learning_rate":0.001},"shuffle":true,"stop_at_loss":null}}',1.79536360644009304046e+09);
CREATE INDEX runs_by_status ON runs (status, number);
CREATE INDEX runs_by_owner ON runs (owner, number);
CREATE INDEX runs_by_draft ON runs (draft, number);
CREATE INDEX files_by_name ON files (run, name, number);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('runs',1);
COMMIT;
