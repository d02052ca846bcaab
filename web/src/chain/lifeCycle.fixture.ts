/** A facility in its window, for tests of what follows from how far it is. */

import type { LifeCycle } from "./lifeCycle";

export const HOUR_S = 3_600;
export const DAY_S = 24 * HOUR_S;
export const START_S = 20_718 * DAY_S;
const ACCOUNT = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8";

/** Four epochs of an hour; the second has just ended, and nothing is stated or published. */
export const FACTS: LifeCycle = {
  nowS: START_S + 2 * HOUR_S,
  state: "delivering",
  offer: {
    gpuOperator: ACCOUNT,
    settlementToken: ACCOUNT,
    windowStartS: START_S,
    windowEndS: START_S + 4 * HOUR_S,
    epochLengthS: HOUR_S,
    patienceS: 2 * DAY_S,
    sealS: 35 * DAY_S,
    longStopS: 90 * DAY_S,
    expiresAtS: START_S,
    promisedGpuSeconds: 14_400n,
    feeBps: 100,
    attesterFeeBps: 4_000,
    termsHash: "0x00",
  },
  fundedAtS: START_S - DAY_S,
  endedAtS: null,
  closedAtS: null,
  unpaidNoticedAtS: null,
  firstOpen: 0,
  voidedAtS: null,
  rejectedAtS: null,
  noticedAtS: null,
  epochsPosted: 0,
  closingStatement: "missing",
  attestedMicros: 0n,
  collectedMicros: 0n,
  settledMicros: 0n,
  settledEpochs: 0,
  closableFromS: null,
  claims: { unitsMicros: [0n, 0n, 0n, 0n], vouchersMicros: [0n, 0n, 0n, 0n], treasuryMicros: 0n },
};
