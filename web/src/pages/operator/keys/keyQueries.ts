/** What the page of keys asks of the service, and changes there. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type Schemas, api, dataOf } from "../../../api/client";
import { PAGE } from "../queries";

const LIVE = 5_000;

export function useKeys(ended: boolean, offset: number) {
  return useQuery({
    queryKey: ["console", "keys", ended, offset],
    queryFn: () =>
      dataOf(api.GET("/v1/keys", { params: { query: { ended, offset, limit: PAGE } } })),
    refetchInterval: LIVE,
    placeholderData: (before) => before,
  });
}

export function useKeyChanges(offset: number) {
  return useQuery({
    queryKey: ["console", "keys", "changes", offset],
    queryFn: () =>
      dataOf(api.GET("/v1/keys/changes", { params: { query: { offset, limit: PAGE } } })),
    refetchInterval: LIVE,
    placeholderData: (before) => before,
  });
}

/** A change of keys. Its answer may hold a secret, which goes when the dialog goes. */
function useKeyChange<Body, Answer>(change: (body: Body) => Promise<Answer>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: change,
    gcTime: 0,
    onSuccess: () => queries.invalidateQueries({ queryKey: ["console", "keys"] }),
  });
}

export function useMakeKey() {
  return useKeyChange((body: Schemas["KeyIn"]) => dataOf(api.POST("/v1/keys", { body })));
}

export function useRotateKey(keyId: string) {
  const params = { path: { key_id: keyId } };
  return useKeyChange((overlapS: number) =>
    dataOf(api.POST("/v1/keys/{key_id}/rotate", { params, body: { overlap_s: overlapS } })),
  );
}

export function useRevokeKey(keyId: string) {
  const params = { path: { key_id: keyId } };
  return useKeyChange(() => dataOf(api.POST("/v1/keys/{key_id}/revoke", { params })));
}
