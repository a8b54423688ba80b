import { BillPayments } from 'almara-bill-payments';

/** Pays one bill: `node pay-a-bill.js <your id of the payment> <account>`. Run it again with the same id: it is the same payment. */
async function main([paymentId = '', accountNumber = '']: readonly string[]): Promise<void> {
  const payments = await BillPayments.connect(); // TEMPORAL_ADDRESS, temporal.toml
  try {
    const result = await payments.pay({
      paymentId,
      serviceId: '860a26ce-4828-f111-bc5a-0e7d952d79b7',
      serviceName: 'KPLC POSTPAID',
      accountNumber,
      amount: 220,
      payer: { name: 'Jane Doe', msisdn: '254712345678' },
      description: 'Electricity, May',
    });
    switch (result.kind) {
      case 'paid':
        return console.log(`paid, receipt ${result.receipt.number ?? 'without a number'}`);
      case 'declined':
        return console.log(`not paid: ${result.summary}${result.retryable ? ' A new payment id may try again.' : ''}`);
      case 'cancelled':
        return console.log(`cancelled by ${result.by}`);
      case 'open':
        return console.log('still open: no failure, ask again with the same id'); // and never pay it another way
    }
  } finally {
    await payments.close();
  }
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
