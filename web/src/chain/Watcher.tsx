/** Follows every pending transaction of this browser to its end, also after a reload. */

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { usePublicClient } from "wagmi";
import { useService } from "../api/service";
import { follow } from "./follow";
import { useSentTransactions } from "./pending";

export function Watcher() {
  const { chain_id } = useService();
  const client = usePublicClient();
  const queries = useQueryClient();
  const followed = useRef(new Map<string, AbortController>());
  const pending = useSentTransactions(chain_id).filter((t) => t.state === "pending");
  const key = pending.map((t) => t.hash).join();

  useEffect(() => {
    if (client === undefined) return;
    const running = followed.current;
    const open = new Set<string>(pending.map((t) => t.hash));
    for (const [hash, controller] of running) if (!open.has(hash)) controller.abort();
    for (const sent of pending) {
      if (running.has(sent.hash)) continue;
      const controller = new AbortController();
      running.set(sent.hash, controller);
      follow(client, sent, controller.signal)
        // Figures of pages come from the index, which is a moment behind the chain: they refetch by themselves.
        .then(() => queries.invalidateQueries())
        .catch(() => undefined)
        .finally(() => running.delete(sent.hash));
    }
    // `pending` is new at every render; `key` says when it changed.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [client, key, queries]);

  useEffect(() => {
    const running = followed.current;
    return () => {
      for (const controller of running.values()) controller.abort();
    };
  }, []);

  return null;
}
