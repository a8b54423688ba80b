/** The workflows of the `bill-payments` task queue. */
export { billPayment } from './bill-payment';
export { billInquiry, billServices, providerCheck, saveBillNumber } from './inquiries';
export { reconcilePayments } from './reconcile-payments';
export { paymentDispute } from './payment-dispute';
