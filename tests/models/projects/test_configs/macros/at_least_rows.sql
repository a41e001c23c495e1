{% test at_least_rows(model, least) %}
    {{ config(fail_calc='max(missing)', error_if='> 0') }}
    select {{ least }} - count(*) as missing from {{ model }}
{% endtest %}
