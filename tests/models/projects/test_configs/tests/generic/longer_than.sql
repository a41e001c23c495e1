{% test longer_than(model, column_name, least=0) %}
{{ config(tags=['lengths']) }}
select * from {{ model }} where length({{ column_name }}) < {{ least }}
{% endtest %}
