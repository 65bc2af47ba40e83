<?php
// composer require standard-webhooks/standard-webhooks; WEBHOOK_SECRET=whsec_… php -S 127.0.0.1:3000 receiver.php
require __DIR__ . '/vendor/autoload.php';

$headers = array_change_key_case(getallheaders());
try {
    $event = (new StandardWebhooks\Webhook(getenv('WEBHOOK_SECRET')))->verify(file_get_contents('php://input'), $headers);
} catch (StandardWebhooks\Exception\WebhookVerificationException $refusal) {
    http_response_code(400);
    exit;
}
error_log("{$headers['webhook-id']} {$event['type']} {$event['data']['id']}");
http_response_code(204);
