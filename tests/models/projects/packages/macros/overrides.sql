{% macro default__overridden() %}from the project{% endmacro %}

{% macro packages__overridden() %}never called{% endmacro %}
