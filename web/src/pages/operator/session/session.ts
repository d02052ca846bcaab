/** Who is signed in. The cookie is the browser's; this page only knows what the service says of it. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type Address, stringToHex } from "viem";
import { useConnection, useWalletClient } from "wagmi";
import { ApiProblem, type Schemas, api, dataOf, setCsrfToken } from "../../../api/client";
import { useService } from "../../../api/service";
import { signInMessage } from "./siwe";

export type Session = Schemas["SessionOut"];

/** Who is signed in, or that somebody was and the session is over. */
export interface SessionState {
  session: Session | null;
  ended: boolean;
}

const KEY = ["session"] as const;
const NOBODY: SessionState = { session: null, ended: false };
const HINT = "rentroll.session-until";

// The cookie is not for scripts to see. This says whether there may be one, so that visitors who never signed in cause
// no refused request; it is no secret and proves nothing.
function readHint(): number | null {
  try {
    const text = localStorage.getItem(HINT);
    return text === null ? null : Number(text);
  } catch {
    return null;
  }
}

function writeHint(untilS: number | null): void {
  try {
    if (untilS === null) localStorage.removeItem(HINT);
    else localStorage.setItem(HINT, String(untilS));
  } catch {
    // Storage is forbidden: a reload asks to sign in again.
  }
}

async function readSession(): Promise<SessionState> {
  const untilS = readHint();
  if (untilS === null) return NOBODY;
  if (untilS * 1_000 <= Date.now()) {
    setCsrfToken(null);
    return { session: null, ended: true };
  }
  try {
    const session = await dataOf(api.GET("/v1/session"));
    setCsrfToken(session.csrf_token);
    writeHint(session.expires_at_s);
    return { session, ended: false };
  } catch (error) {
    if (!(error instanceof ApiProblem) || error.status !== 401) throw error;
    setCsrfToken(null);
    writeHint(0);
    return { session: null, ended: true };
  }
}

/** The session of this browser. Asked again each minute, because it ends by itself. */
export function useSession() {
  return useQuery({ queryKey: KEY, queryFn: readSession, refetchInterval: 60_000 });
}

/** Signs the connected account in: a nonce, the wallet's signature, a session. */
export function useSignIn() {
  const { chain_id } = useService();
  const { address } = useConnection();
  const { data: wallet } = useWalletClient();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (): Promise<Session> => {
      if (address === undefined || wallet === undefined) throw new Error("Connect a wallet first.");
      const nonce = await dataOf(api.POST("/v1/session/nonce"));
      const message = signInMessage({
        origin: location.origin,
        address,
        chainId: chain_id,
        nonce: nonce.nonce,
        issuedAtSeconds: nonce.issued_at_s,
        expiresAtSeconds: nonce.expires_at_s,
      });
      // `personal_sign`: keys answer with 65 bytes, contract wallets with whatever their contract takes (ERC-1271).
      const signature = await wallet.signMessage({
        account: address,
        message: { raw: stringToHex(message) },
      });
      return dataOf(api.POST("/v1/session", { body: { message, signature } }));
    },
    onSuccess: (session) => {
      setCsrfToken(session.csrf_token);
      writeHint(session.expires_at_s);
      // What another account may have read is not shown to this one.
      queries.removeQueries({ queryKey: ["console"] });
      queries.setQueryData<SessionState>(KEY, { session, ended: false });
    },
  });
}

/** Ends the session at once, here and at the service. */
export function useSignOut() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async () => {
      try {
        await dataOf(api.DELETE("/v1/session"));
      } catch (error) {
        // It was over already.
        if (!(error instanceof ApiProblem) || error.status !== 401) throw error;
      }
    },
    onSuccess: () => {
      setCsrfToken(null);
      writeHint(null);
      queries.setQueryData<SessionState>(KEY, NOBODY);
      queries.removeQueries({ queryKey: ["console"] });
    },
  });
}

/** Whether two addresses are one account. */
export function sameAccount(a: string | undefined, b: Address | string | undefined): boolean {
  return a !== undefined && b !== undefined && a.toLowerCase() === b.toLowerCase();
}
