# One image for every process of ours: `command` chooses which (worker, callbacks, sandbox, or `billpay`).
#
# What was run and what was not: there was no Docker engine at hand, so this file has never been built. Its commands
# (npm ci, the build, the prune) were run by hand in an empty folder that held only what is copied below, and every process
# was started from the result as user 1000. test/project/compose.test.ts checks the sources, the Node version and the user.

FROM node:20.20.2-bookworm-slim AS build
WORKDIR /app
# .npmrc switches install scripts off: nothing here needs one.
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
# The build puts the workflows into one prebuilt bundle.
RUN npm run build -- --clean && npm prune --omit=dev

FROM node:20.20.2-bookworm-slim
# One arena of memory for the engine's many threads: a third less for each waiting payment (docs/performance.md).
ENV NODE_ENV=production MALLOC_ARENA_MAX=1
WORKDIR /app
# The files stay root's: the process cannot change its own program.
COPY --from=build /app/package.json ./package.json
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
USER node
# Health checks are the orchestrator's: each process has its own port for them.
CMD ["node", "dist/worker/main.js"]
