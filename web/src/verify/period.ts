/** What a statement must be over, by what the chain stores of its facility: as `Publications._checkTimes` decides. */

/** Window, seal and end of a facility. Times are UTC seconds. */
export interface Schedule {
  windowStartS: bigint;
  windowEndS: bigint;
  /** End of the seal. */
  sealedAtS: bigint;
  epochLengthS: bigint;
  deviceCount: bigint;
  /** Null while it delivers. */
  endedAtS: bigint | null;
}

export interface Period {
  startS: bigint;
  /** First and last second at which it may end: one and the same, but of a facility that ended early. */
  endsFromS: bigint;
  endsUntilS: bigint;
  /** Whether it is no epoch but what comes behind the last. */
  closing: boolean;
  /** Most GPU-seconds that it can have available, and bill. */
  capacity: bigint;
}

/** Time of the statement with a number; null where a facility has none with it. */
export function periodOf(schedule: Schedule, number: number): Period | null {
  const { windowStartS, windowEndS, sealedAtS, epochLengthS, deviceCount, endedAtS } = schedule;
  const startS = windowStartS + BigInt(number) * epochLengthS;
  const endS = startS + epochLengthS;
  const lastS = endedAtS !== null && endedAtS < windowEndS ? endedAtS : windowEndS;
  if (endS <= lastS) {
    const capacity = deviceCount * epochLengthS;
    return { startS, endsFromS: endS, endsUntilS: endS, closing: false, capacity };
  }
  // Nothing can be late where no epoch was over, and nothing comes after the closing statement.
  if (number === 0 || startS > lastS) return null;
  const closing = { startS, closing: true, capacity: 0n } as const;
  if (endedAtS === null || endedAtS >= sealedAtS) {
    return { ...closing, endsFromS: sealedAtS, endsUntilS: sealedAtS };
  }
  // It ends with the grace of the facility, which the chain does not know, and attesters do.
  return { ...closing, endsFromS: endedAtS + 1n, endsUntilS: endedAtS + epochLengthS };
}
