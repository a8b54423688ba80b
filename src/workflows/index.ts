/** The workflows of the `bill-payments` task queue. */
export { billPayment } from './bill-payment';
export { billInquiry, billServices, providerCheck, saveBillNumber } from './inquiries';
