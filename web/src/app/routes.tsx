/** Addresses of pages. api/routes/http/web.py has the same list, for the status of a page that does not exist. */

import { createBrowserRouter } from "react-router";
import { tranchesQuery } from "../pages/market/queries";
import { searchOf } from "../pages/market/search";
import { Shell } from "./Shell";
import { Failed } from "./Failed";
import { NotFound } from "../parts/NotFound";
import { queries } from "./queries";

export const router = createBrowserRouter([
  {
    element: <Shell />,
    errorElement: <Failed />,
    // While the first page's own chunk is on its way.
    hydrateFallbackElement: <></>,
    children: [
      {
        index: true,
        // Rows are asked for beside the page's own chunk and the settings, not after them.
        loader: ({ request }) => {
          void queries.prefetchQuery(tranchesQuery(searchOf(new URL(request.url).searchParams)));
          return null;
        },
        lazy: async () => ({ Component: (await import("../pages/market/Market")).Market }),
      },
      {
        path: "tranches/:tokenId",
        lazy: async () => ({ Component: (await import("../pages/tranche/Tranche")).Tranche }),
      },
      {
        path: "portfolio/:address?",
        lazy: async () => ({ Component: (await import("../pages/portfolio/Portfolio")).Portfolio }),
      },
      {
        path: "tx/:hash",
        lazy: async () => ({
          Component: (await import("../pages/transaction/Transaction")).Transaction,
        }),
      },
      {
        path: "operator/:facilityId?",
        lazy: async () => ({ Component: (await import("../pages/operator/Operator")).Operator }),
      },
      {
        path: "audit",
        lazy: async () => ({ Component: (await import("../pages/audit/Audit")).Audit }),
      },
      {
        path: "facilities/:facilityId/epochs/:epoch",
        lazy: async () => ({ Component: (await import("../pages/audit/Epoch")).Epoch }),
      },
      {
        path: "facilities/:facilityId/epochs/:epoch/lines/:index",
        lazy: async () => ({ Component: (await import("../pages/audit/LineProof")).LineProof }),
      },
      {
        path: "docs",
        lazy: async () => ({ Component: (await import("../pages/docs/Docs")).Docs }),
      },
      { path: "*", element: <NotFound /> },
    ],
  },
]);
