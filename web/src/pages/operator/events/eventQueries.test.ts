import { describe, expect, it } from "vitest";
import { ready } from "./eventQueries";
import type { Preview } from "./previewText";

const answer = (unforeseen: Preview["unforeseen"]) => ({ unforeseen }) as Preview;

describe("a preview of long books", () => {
  it("is asked for again while they are made ready", async () => {
    const answers = [answer("preparing"), answer("preparing"), answer(null), answer("preparing")];

    expect(await ready(() => Promise.resolve(answers.shift() as Preview))).toEqual(answer(null));
    expect(answers).toHaveLength(1);
  });

  it("is given up at some time", async () => {
    let asked = 0;
    const never = () => {
      asked += 1;
      return Promise.resolve(answer("preparing"));
    };

    expect(await ready(never)).toEqual(answer("preparing"));
    expect(asked).toBe(100);
  });
});
