{# Kept failures are whole rows; a count needs the column alone. #}
{% macro default__test_not_null(model, column_name) %}

{% set shown = column_name if not should_store_failures() else '*' %}

select {{ shown }}
from {{ model }}
where {{ column_name }} is null

{% endmacro %}
