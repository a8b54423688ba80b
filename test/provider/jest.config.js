/** For `npm run provider:check` alone: the suite is no test of this repository, so that `npm test` never asks anybody's system. */
const [fast] = require('../../jest.config.js').projects;

module.exports = {
  ...fast,
  rootDir: '../..',
  testMatch: ['<rootDir>/test/provider/almara.check.ts'],
  testTimeout: 90_000,
};
