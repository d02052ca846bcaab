// How many events it has, for the comparison of counts.
import { db } from "ponder:api";
import { chainEvent } from "ponder:schema";
import { Hono } from "hono";
import { count } from "ponder";

const app = new Hono();
app.get("/count", async (c) => c.json(await db.select({ events: count() }).from(chainEvent)));
export default app;
