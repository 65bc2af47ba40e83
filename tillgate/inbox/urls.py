from django.urls import path

from tillgate.inbox.views import inbound

urlpatterns = [path("<slug:gateway>", inbound, name="inbound")]
