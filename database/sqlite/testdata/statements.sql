SELECT t0."id", t0."title" FROM "posts" AS t0
SELECT 1 FROM "posts" AS t0
SELECT t0."id", CASE WHEN (t0."author_id" = ?1) THEN t0."title" END, NULL FROM "posts" AS t0
SELECT t0."id" FROM "posts" AS t0 WHERE ((t0."author_id" = ?1) AND FALSE AND NOT (((NULL) IS NOT TRUE))) ORDER BY t0."id" LIMIT ?2 OFFSET ?3
SELECT t0."id" FROM "posts" AS t0 ORDER BY t0."score" DESC NULLS FIRST, (SELECT t1."name" FROM "users" AS t1 WHERE t1."id" = t0."author_id" LIMIT 1) NULLS FIRST, t0."id" LIMIT -1 OFFSET ?1
SELECT t0."id" FROM "posts" AS t0 WHERE sc_icontains((SELECT t1."name" FROM "users" AS t1 WHERE t1."id" = t0."author_id" LIMIT 1), ?1)
SELECT t0."id" FROM "posts" AS t0 WHERE (t0."title" NOT IN (SELECT value FROM json_each(?1)))
SELECT t0."id" FROM "posts" AS t0 WHERE EXISTS (SELECT 1 FROM "tags" AS t1 WHERE t1."id" IN (SELECT t2."tag_id" FROM "posts_tags" AS t2 WHERE t2."post_id" = t0."id") AND (t1."name" = t0."title"))
SELECT t0."id" FROM "posts" AS t0 WHERE EXISTS (SELECT 1 FROM "tags" AS t1 WHERE (t1."name" IS NULL))
SELECT t0.key, t1."id" FROM json_each(?1) AS t0 CROSS JOIN "posts" AS t1 WHERE t1."author_id" = t0.value AND (t1."author_id" = ?2) ORDER BY t0.key, t1."id"
  one key: SELECT t0."id" FROM "posts" AS t0 WHERE t0."author_id" = ?1 AND (t0."author_id" = ?2) ORDER BY t0."id"
SELECT t0.key, t1."id" FROM json_each(?1) AS t0 CROSS JOIN "posts" AS t1 WHERE t1.rowid IN (SELECT t2.rowid FROM "posts" AS t2 WHERE t2."author_id" = t0.value AND (t2."author_id" = ?2) ORDER BY t2."id" LIMIT ?3) ORDER BY t0.key, t1."id"
  one key: SELECT t0."id" FROM "posts" AS t0 WHERE t0."author_id" = ?1 AND (t0."author_id" = ?2) ORDER BY t0."id" LIMIT ?3
SELECT t0.key, t1."id" FROM json_each(?1) AS t0 CROSS JOIN "tags" AS t1 WHERE t1."id" IN (SELECT t2."tag_id" FROM "posts_tags" AS t2 WHERE t2."post_id" = t0.value) ORDER BY t0.key, t1."id"
  one key: SELECT t0."id" FROM "tags" AS t0 WHERE t0."id" IN (SELECT t1."tag_id" FROM "posts_tags" AS t1 WHERE t1."post_id" = ?1) ORDER BY t0."id"
SELECT t0.key, t1."id" FROM json_each(?1) AS t0 CROSS JOIN "users" AS t1 WHERE t1."id" = t0.value ORDER BY t0.rowid
  one key: SELECT t0."id" FROM "users" AS t0 WHERE t0."id" = ?1
INSERT INTO "posts" ("id", "title") VALUES (?1, ?2), (?3, ?4) RETURNING "id"
INSERT INTO "posts" DEFAULT VALUES
UPDATE "posts" AS t0 SET "title" = ?1, "views" = sc_add(t0."views", ?2, 32), "score" = CASE WHEN t0."score" IS NULL OR t0."score" < ?3 THEN ?4 ELSE t0."score" END WHERE t0."id" IN (SELECT t1.value FROM json_each(?5) AS t1) AND (t0."author_id" = ?6) RETURNING "id"
DELETE FROM "posts" AS t0
