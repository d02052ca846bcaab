import { describe, expect, it } from "vitest";
import { EVERYTHING, csvAddress, paramsOf, searchOf, sortedBy } from "./search";

const read = (text: string) => searchOf(new URLSearchParams(text));

describe("searchOf", () => {
  it("reads what paramsOf wrote", () => {
    const search = {
      ...EVERYTHING,
      q: "aurora & co",
      gpu_class: "H100-SXM5-80GB",
      state: "delivering" as const,
      sort: "price" as const,
      order: "desc" as const,
      offset: 100,
    };

    expect(searchOf(new URLSearchParams(paramsOf(search).toString()))).toEqual(search);
  });

  it("ignores what an address cannot mean", () => {
    expect(
      read("state=sold&sort=shoe&order=up&offset=-1&limit=7&operator=javascript:alert(1)"),
    ).toEqual(EVERYTHING);
  });

  it("starts pages at multiples of their size", () => {
    expect(read("offset=60").offset).toBe(50);
    expect(read("offset=60&limit=25").offset).toBe(50);
  });

  it("drops control characters, which the service refuses", () => {
    expect(read("q=a%00b%0Ac").q).toBe("abc");
  });
});

describe("paramsOf", () => {
  it("leaves the address of the whole market bare", () => {
    expect(paramsOf(EVERYTHING).toString()).toBe("");
  });
});

describe("sortedBy", () => {
  it("turns round at the second press and goes to the first page", () => {
    const once = sortedBy({ ...EVERYTHING, offset: 50 }, "price");
    const twice = sortedBy(once, "price");

    expect([once.sort, once.order, once.offset]).toEqual(["price", "asc", 0]);
    expect(twice.order).toBe("desc");
  });
});

describe("csvAddress", () => {
  it("has the filters and the order, not the page", () => {
    const address = csvAddress({ ...EVERYTHING, q: "a b", site: "SE&1", offset: 50 });

    expect(address).toBe("/v1/tranches.csv?q=a+b&site=SE%261&sort=window_start&order=desc");
  });
});
