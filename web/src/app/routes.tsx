/** The component of each page, in a chunk of its own. Which pages there are says api/routes/http/pages.py. */

import type { ComponentType } from "react";
import { type LoaderFunction, createBrowserRouter } from "react-router";
import type { Page } from "../generated/pages";
import { tranchesQuery } from "../pages/market/queries";
import { searchOf } from "../pages/market/search";
import { Shell } from "./Shell";
import { Failed } from "./Failed";
import { NotFound } from "../parts/NotFound";
import { queries } from "./queries";

interface PageRoute {
  lazy: () => Promise<{ Component: ComponentType }>;
  loader?: LoaderFunction;
}

const PAGES: Record<Page, PageRoute> = {
  "": {
    // Rows are asked for beside the page's own chunk and the settings, not after them.
    loader: ({ request }) => {
      void queries.prefetchQuery(tranchesQuery(searchOf(new URL(request.url).searchParams)));
      return null;
    },
    lazy: async () => ({ Component: (await import("../pages/market/Market")).Market }),
  },
  "tranches/:tokenId": {
    lazy: async () => ({ Component: (await import("../pages/tranche/Tranche")).Tranche }),
  },
  "portfolio/:address?": {
    lazy: async () => ({ Component: (await import("../pages/portfolio/Portfolio")).Portfolio }),
  },
  "tx/:hash": {
    lazy: async () => ({
      Component: (await import("../pages/transaction/Transaction")).Transaction,
    }),
  },
  "operator/:facilityId?": {
    lazy: async () => ({ Component: (await import("../pages/operator/Operator")).Operator }),
  },
  audit: {
    lazy: async () => ({ Component: (await import("../pages/audit/Audit")).Audit }),
  },
  "facilities/:facilityId/epochs/:epoch": {
    lazy: async () => ({ Component: (await import("../pages/audit/Epoch")).Epoch }),
  },
  "facilities/:facilityId/epochs/:epoch/lines/:index": {
    lazy: async () => ({ Component: (await import("../pages/audit/LineProof")).LineProof }),
  },
  docs: {
    lazy: async () => ({ Component: (await import("../pages/docs/Docs")).Docs }),
  },
};

export const router = createBrowserRouter([
  {
    element: <Shell />,
    errorElement: <Failed />,
    // While the first page's own chunk is on its way.
    hydrateFallbackElement: <></>,
    children: [
      ...Object.entries(PAGES).map(([path, page]) =>
        path === "" ? { index: true as const, ...page } : { path, ...page },
      ),
      { path: "*", element: <NotFound /> },
    ],
  },
]);
